import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.neo4j.dbms.api.DatabaseManagementService;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * Runs Neo4j Community in a folder, as its conf/neo4j.conf says, until a signal ends it.
 *
 * <p>{@code Launcher HOME [GUARD]}: the line on standard input, unless it is empty, becomes the password of the user neo4j.
 * The file HOME/run/ready says that Bolt answers. With GUARD it ends as soon as no other process holds a lock on that file: the system drops the
 * locks of a process however it ended, so no killed test run leaves a server behind.
 */
public final class Launcher {
    private static final long PAUSE_MS = 500;

    private Launcher() {}

    public static void main(String[] words) throws Exception {
        Path home = Path.of(words[0]);
        String password = readLine();
        if (password == null) {
            return; // whoever starts us ended before it wrote down that we exist
        }
        DatabaseManagementService server =
                new DatabaseManagementServiceBuilder(home)
                        .loadPropertiesFromFile(home.resolve("conf/neo4j.conf"))
                        .build();
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
        if (!password.isEmpty()) {
            server.database("system")
                    .executeTransactionally(
                            "ALTER USER neo4j SET PLAINTEXT PASSWORD $password CHANGE NOT REQUIRED",
                            Map.of("password", password));
        }
        Files.writeString(home.resolve("run/ready"), ProcessHandle.current().pid() + "\n");
        if (words.length > 1) {
            waitForUsers(Path.of(words[1]));
            System.exit(0);
        }
        Thread.currentThread().join();
    }

    private static String readLine() throws Exception {
        return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
    }

    /** Returns when nobody uses the server; who comes later waits for the lock, which is kept until the very end. */
    private static void waitForUsers(Path guard) throws Exception {
        FileChannel file = FileChannel.open(guard, StandardOpenOption.READ, StandardOpenOption.WRITE);
        while (file.tryLock() == null) {
            Thread.sleep(PAUSE_MS);
        }
    }
}
