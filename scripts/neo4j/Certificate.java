import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;

/**
 * Writes the key and the certificate that keytool made as the two PEM files that Neo4j reads.
 *
 * <p>{@code Certificate STORE FOLDER}: the password of the PKCS12 store is in the variable KEYSTORE_PASSWORD.
 */
public final class Certificate {
    private Certificate() {}

    public static void main(String[] words) throws Exception {
        char[] password = System.getenv("KEYSTORE_PASSWORD").toCharArray();
        KeyStore store = KeyStore.getInstance(Path.of(words[0]).toFile(), password);
        Path folder = Path.of(words[1]);
        String alias = store.aliases().nextElement();
        write(folder.resolve("private.key"), "PRIVATE KEY", store.getKey(alias, password).getEncoded());
        write(folder.resolve("public.crt"), "CERTIFICATE", store.getCertificate(alias).getEncoded());
    }

    private static void write(Path file, String what, byte[] bytes) throws Exception {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        Files.writeString(file, "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
    }
}
