"""`provgraph.activity` in one program: what is recorded, what is refused, and what is never changed."""

import json
import os
import subprocess
import sys

import pytest
from client.conftest import activity
from interpreters import CLIENT_PATH, VERSIONS, required

from provgraph.client.settings import write_settings

WAYS = ["seccomp", "audit"]


def test_a_decorator(desk):
    done = desk.alone(
        """
        import asyncio

        @provgraph.activity("load", params={"n": 1})
        def load(name, *, twice=False):
            "Loads."
            return open(name).read() * (1 + twice)

        @provgraph.activity("wait")
        async def wait():
            await asyncio.sleep(0)
            open("waited", "w").close()
            return 3

        open("in", "w").write("x")
        print(load("in", twice=True), load.__name__, load.__doc__, asyncio.run(wait()))
        """
    )
    assert done.stdout == "xx load Loads. 3\n"
    graph = desk.graph()
    assert graph.used(activity(graph, "load")) == {"in"}
    assert graph.generated(activity(graph, "wait")) == {"waited"}


@pytest.mark.parametrize(
    "wrong",
    [
        "provgraph.activity(3)",
        "provgraph.activity('  ')",
        "provgraph.activity('a', params=[1])",
        "provgraph.activity('a', params={1: 2})",
        "run.log_metric(1, 2)",
        "run.log_metric('loss', 'low')",
        "run.log_metric('loss', None)",
        "run.log_metric('loss', 1, step='first')",
        "run.log_metric('loss', 1, step=1 << 70)",
        "run.used(3)",
        "run.used('')",
        "run.generated(None)",
        "run.tag('', 1)",
        "run.log_params(['lr'])",
    ],
)
@pytest.mark.parametrize("recorded", [True, False])
def test_wrong_arguments_are_the_users_errors(desk, wrong, recorded):
    done = desk.alone(
        f"""
        with provgraph.activity("good") as run:
            try:
                {wrong}
            except (TypeError, ValueError) as error:
                print(type(error).__name__, error)
        """,
        env={} if recorded else {"PROVDB_DISABLE": "1"},
    )
    kind, _, message = done.stdout.partition(" ")
    assert kind in ("TypeError", "ValueError")
    assert len(message) > 10


QUIET = """
with provgraph.activity("a", params={"p": 1}) as run:
    run.used(__file__)
    run.generated("nowhere")
    run.log_metric("loss", 1)
    run.tag("k", 1)
    with provgraph.activity("b"):
        open("out", "w").write("out")
print("done", open("out").read())
"""


def test_where_nothing_is_recorded_the_program_is_as_it_was(desk, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = desk.alone(QUIET, env={"PROVDB_DISABLE": "1"})
    assert (done.stdout, done.stderr) == ("done out\n", "")
    program = desk.root / "program.py"
    done = desk.lab.provdb.command([sys.executable, str(program)], cwd=elsewhere, env={"PYTHONPATH": str(CLIENT_PATH)})
    assert (done.stdout, done.stderr) == ("done out\n", "")
    os.chmod(desk.root / ".provdb", 0o777)
    done = desk.alone(QUIET)
    assert (done.stdout, done.stderr) == ("done out\n", "")
    os.chmod(desk.root / ".provdb", 0o700)
    assert not list((desk.root / ".provdb/spool").glob("*.jsonl"))


def test_a_store_that_vanishes_meanwhile(desk):
    done = desk.alone(
        """
        import shutil
        with provgraph.activity("a") as run:
            shutil.rmtree(".provdb")
            open("out", "w").write("x")
            run.log_metric("loss", 1)
        print(run.recorded)
        """
    )
    assert done.stdout == "False\n"
    assert done.stderr == ""
    assert not (desk.root / ".provdb").exists()


def test_secrets_are_never_written(desk):
    secret = "hunter2hunter2"
    desk.watched(
        f"""
        run = None
        try:
            name, note = "password={secret}", "--password={secret}"
            with provgraph.activity(name, params={{"api_key": "{secret}"}}, note=note) as run:
                run.used("https://me:{secret}@example.org/data.csv")
                run.tag("db", "mysql://me:{secret}@host/db")
                raise OSError("token={secret}")
        except OSError:
            pass
        """
    )
    graph = desk.graph()
    shown = str(graph.vertices[activity(graph, "password=<scrubbed>")])
    assert secret not in shown
    assert "<scrubbed>" in shown
    assert "https://example.org/data.csv" in {vertex.get("path") for vertex in graph.vertices.values()}
    assert secret not in str(graph.vertices)


def test_secrets_deep_inside_are_never_written(desk):
    secret = "hunter2hunter2"
    assert write_settings(str(desk.root), scrub=["site-[0-9]+"])
    desk.alone(
        f"""
        nested = {{"db": {{"password": "{secret}", "hosts": [{{"api_key": "{secret}"}}]}}, "seed": 7}}
        words = ["--password=plain{secret}", "--token", "{secret}", "--epochs", "3", "curl", "-u", "me:{secret}"]
        with provgraph.activity("a", params={{"nested": nested, "args": words}}, tags={{"more": nested}}) as run:
            run.log_param("secrets", {{"db": "{secret}", "other": ("{secret}", 1)}})
            run.say(properties={{"plain": {{"key site-4711": ["for site-4712", {{"x": "site-4713"}}]}}}})
            run.log_param("long", "word " * 1998 + "ghp_" + "a1B2" * 9 + " word" * 3000)
            run.used("https://example.org/site-4714/data.csv")
            raise OSError("word " * 1998 + "ghp_" + "a1B2" * 9 + " word" * 3000)
        """,
        check=1,
    )
    graph = desk.graph()
    said = graph.vertices[activity(graph, "a")]
    shown = str(graph.vertices)
    assert secret not in shown
    assert "site-471" not in shown
    assert "a1B2" not in shown
    assert "--epochs" in str(said["param_args"])
    assert '"seed": 7' in said["param_nested_json"]
    assert len(said["param_long"]) <= 10_001


def test_ended_activities_leave_no_descriptors(desk):
    for how in WAYS:
        done = desk.run(
            how,
            """
            import os, pickle
            with provgraph.activity("outer") as outer:
                for n in range(3):
                    with provgraph.activity("inner"):
                        open("out", "w").close()
                    pickle.loads(pickle.dumps(outer)).log_metric("loss", n)
                    count = len(os.listdir("/proc/self/fd"))
                    print(count)
            """,
        )
        assert len(set(done.stdout.split())) == 1


def test_the_ingester_is_no_program_of_the_users(desk):
    """One is started, since no bell is there, within an activity and at its end."""
    done = desk.alone(
        """
        import os, sys
        with provgraph.activity("outer") as outer:
            starting = sys.modules[type(outer).__module__.rpartition(".")[0] + ".starting"]
            starting._last.clear()
            if os.path.exists(".provdb/bell"):
                os.remove(".provdb/bell")
            with provgraph.activity("inner"):
                pass
            print(outer.watch.walk, os.environ.get("PROVDB_ACTIVITY"))
            starting._last.clear()
            if os.path.exists(".provdb/bell"):
                os.remove(".provdb/bell")
        print(os.environ.get("PROVDB_ACTIVITY"))
        """
    )
    assert done.stdout.split() == ["None", "None", "None"]


@pytest.mark.parametrize("how", WAYS)
def test_what_is_declared(desk, how):
    desk.lab.write("in", "in\n")
    desk.lab.write("both", "old\n")
    desk.run(
        how,
        """
        import ctypes, os
        with provgraph.activity("native") as run:
            assert run.used("in") == "in"
            libc = ctypes.CDLL(None)  # as compiled libraries do: Python's audit hook sees nothing of it
            for name in (b"out", b"both"):
                fd = libc.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
                os.write(fd, b"new")
                os.close(fd)
            run.generated("out")
            run.generated(os.fsencode("both"))
            run.generated("s3://bucket/model")
            run.used("nothing/here")
            run.tag("name", "x")
        """,
    )
    graph = desk.graph()
    native = activity(graph, "native")
    assert "in" in graph.used(native)
    assert graph.generated(native) == {"out", "both", "s3://bucket/model"}
    gaps = graph.vertices[native]["capture_gaps_json"]
    assert "there is no such file" in gaps
    assert "tag name: a property of the base" in gaps


@pytest.mark.parametrize("how", WAYS)
def test_what_is_declared_and_is_not_there_leaves_a_trace(desk, how):
    desk.run(
        how,
        """
        import os
        with provgraph.activity("a") as run:
            run.generated("missing")
            run.generated("missing")
            run.generated("later")
            open("later", "w").write("x")
            open("gone", "w").write("x")
            run.generated("gone")
            os.remove("gone")
            run.used("nowhere")
        """,
    )
    graph = desk.graph()
    a = activity(graph, "a")
    assert graph.generated(a) == {"later"}
    assert json.loads(graph.vertices[a]["capture_gaps_json"]) == {
        "declared as generated, but there is no such file": 1,
        "declared as used, but there is no such file": 1,
    }


def test_many_points_and_strange_numbers(desk):
    desk.alone(
        """
        import decimal, fractions
        with provgraph.activity("a") as run:
            for step in range(5000):
                run.log_metric("fast", step)
            for value in (float("nan"), float("inf"), 1 << 80, decimal.Decimal("0.5"), fractions.Fraction(1, 4), True):
                run.log_metric("strange", value)
            run.log_metrics({"a": 1, "b": 2}, step=7)
        """
    )
    shown = desk.lab.provdb.json("show", "%1", "--series")
    series = {one["name"]: one for one in shown["series"]} if "series" in shown else {}
    graph = desk.graph()
    said = graph.vertices[activity(graph, "a")]
    assert (said["metric_fast_count"], said["metric_fast_last"], said["metric_fast_max"]) == (5000, 4999, 4999)
    assert (said["metric_strange_count"], said["metric_strange_last"]) == (6, 1)
    assert said["metric_b_steps"] == [7]
    assert not series or len(series["fast"]["values"]) == 5000


OVERLAPS = """
import asyncio, os, time
from concurrent.futures import ThreadPoolExecutor

async def task(n):
    with provgraph.activity(f"task{n}"):
        for i in range(3):
            open(f"task{n}_{i}", "w").close()
            await asyncio.sleep(0.001)

async def main():
    await asyncio.gather(*[task(n) for n in range(3)])

def trial(n):
    with provgraph.activity(f"trial{n}"):
        for i in range(3):
            open(f"trial{n}_{i}", "w").close()
            time.sleep(0.001)

asyncio.run(main())
with provgraph.activity("sweep"):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(trial, range(3)))
        list(pool.map(lambda n: open(f"plain{n}", "w").close(), range(3)))
    child = os.fork()
    if child == 0:
        open("forked", "w").close()
        with provgraph.activity("in child"):
            open("in_child", "w").close()
        os._exit(0)
    os.waitpid(child, 0)
open("after", "w").close()
"""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", WAYS)
def test_threads_tasks_and_forks(desk, how, version):
    desk.run(how, OVERLAPS, python=required(version))
    graph = desk.graph()
    for kind in ("task", "trial"):
        for n in range(3):
            assert graph.generated(activity(graph, f"{kind}{n}")) == {f"{kind}{n}_{i}" for i in range(3)}
    sweep = activity(graph, "sweep")
    assert graph.generated(sweep) == {"forked", "plain0", "plain1", "plain2"}
    for name in ("trial0", "trial1", "trial2", "in child"):
        assert graph.targets("wasInformedBy", activity(graph, name)) == [sweep]
    assert graph.generated(activity(graph, "in child")) == {"in_child"}
    if how == "seccomp":
        assert graph.generated(graph.command("program.py")) == {"after"}
        assert graph.targets("wasInformedBy", activity(graph, "task1")) == [graph.command("program.py")]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(desk, how, method):
    desk.run(
        how,
        f"""
        import multiprocessing

        def work(n):
            open(f"work{{n}}", "w").close()

        if __name__ == "__main__":
            with provgraph.activity("pool"):
                with multiprocessing.get_context("{method}").Pool(2) as pool:
                    pool.map(work, range(4))
        """,
    )
    graph = desk.graph()
    assert graph.generated(activity(graph, "pool")) == {f"work{n}" for n in range(4)}


@pytest.mark.parametrize("how", WAYS)
def test_workers_of_a_fork_server_belong_to_who_asked_for_them(desk, how):
    desk.run(
        how,
        """
        import multiprocessing

        def work(name):
            open(name, "w").close()

        if __name__ == "__main__":
            context = multiprocessing.get_context("forkserver")
            for name in ("first", "second"):
                with provgraph.activity(name):
                    worker = context.Process(target=work, args=(f"of_{name}",))
                    worker.start()
                    worker.join()
        """,
    )
    graph = desk.graph()
    for name in ("first", "second"):
        assert graph.generated(activity(graph, name)) == {f"of_{name}"}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_another_process_may_say_things_of_it(desk, method):
    desk.alone(
        f"""
        import multiprocessing

        def work(run, n):
            run.log_metric("loss", n)
            run.log_param(f"worker{{n}}", n)
            run.end()

        if __name__ == "__main__":
            with provgraph.activity("train") as run:
                context = multiprocessing.get_context("{method}")
                workers = [context.Process(target=work, args=(run, n)) for n in range(2)]
                [worker.start() for worker in workers]
                [worker.join() for worker in workers]
                run.log_metric("loss", 2)
        """
    )
    graph = desk.graph()
    train = graph.vertices[activity(graph, "train")]
    assert (train["metric_loss_count"], train["metric_loss_max"]) == (3, 2)
    assert (train["param_worker0"], train["param_worker1"], train["exit_status"]) == (0, 1, 0)


@pytest.mark.parametrize("how", WAYS)
def test_subprocesses_belong_to_the_activity_that_started_them(desk, how):
    desk.lab.write("in", "in\n")
    desk.lab.write("gone", "gone\n")
    desk.run(
        how,
        """
        import os, subprocess
        with provgraph.activity("a"):
            with provgraph.activity("b"):
                open("of_b", "w").close()
            subprocess.run(["cp", "in", "copy"], check=True)
            os.system("cat in > piped; rm gone")
        subprocess.run(["touch", "after"], check=True)
        """,
    )
    graph = desk.graph()
    a = activity(graph, "a")
    assert graph.generated(a) == {"copy", "piped"}
    assert "in" in graph.used(a)
    assert graph.generated(activity(graph, "b")) == {"of_b"}
    (gone,) = graph.snapshots("gone")
    assert graph.targets("wasInvalidatedBy", gone) == [a]


def test_a_process_that_outlives_its_activity(desk):
    desk.watched(
        """
        import subprocess, time
        with provgraph.activity("a"):
            child = subprocess.Popen(["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo x > late"])
        with provgraph.activity("b"):
            open("go", "w").close()
            child.wait()
        """
    )
    graph = desk.graph()
    assert graph.generated(activity(graph, "a")) == {"late"}
    assert graph.generated(activity(graph, "b")) == {"go"}


@pytest.mark.parametrize("how", WAYS)
def test_old_contents_are_kept(desk, how):
    desk.lab.write("config", "old\n")
    desk.lab.write("removed", "precious\n")
    desk.lab.write("replaced", "before\n")
    desk.run(
        how,
        """
        import os
        with provgraph.activity("a"):
            open("config", "w").write("new")
            os.remove("removed")
            open("draft", "w").write("after")
            os.replace("draft", "replaced")
        """,
    )
    for path, text in (("config@1", "old\n"), ("removed", "precious\n"), ("replaced@1", "before\n")):
        assert desk.lab.run("restore", path, "-o", "-").stdout == text


def test_programs_may_close_every_descriptor(desk):
    for how in WAYS:
        desk.run(
            how,
            """
            import os
            with provgraph.activity("daemon") as run:
                os.closerange(3, 1000)
                files = [open(f"mine{n}", "w") for n in range(6)]
                run.log_metric("loss", 1)
                run.used(__file__)
                [file.write("mine") for file in files]
                [file.close() for file in files]
            """,
        )
        for n in range(6):
            assert (desk.root / f"mine{n}").read_text() == "mine"


def test_an_activity_in_the_middle_of_importing_and_at_exit(desk):
    done = desk.alone(
        """
        import atexit, sys
        def late():
            with provgraph.activity("at exit"):
                open("late", "w").close()
        atexit.register(late)
        with provgraph.activity("whole"):
            sys.exit(3)
        """,
        check=3,
    )
    assert done.stderr == ""
    graph = desk.graph()
    assert graph.vertices[activity(graph, "whole")]["exit_status"] == 3
    assert "error_type" not in graph.vertices[activity(graph, "whole")]
    assert graph.generated(activity(graph, "at exit")) == {"late"}


def test_only_python_programs_are_told_where_the_client_is(desk):
    printed = desk.lab.run("env").stdout
    assert "PYTHONPATH" not in printed
    tell = "import os; print(os.environ['PYTHONPATH'])"
    assert desk.lab.run("python3", "-c", tell).stdout.strip() == str(CLIENT_PATH)
    assert desk.lab.run("python3", "-c", tell, env={"PYTHONPATH": "/mine"}).stdout.strip() == f"/mine:{CLIENT_PATH}"
    script = desk.root / "tool"
    script.write_text(f"#!{sys.executable}\n{tell}\n")
    script.chmod(0o755)
    assert desk.lab.run("./tool").stdout.strip() == str(CLIENT_PATH)
    assert desk.lab.run("-c", f'echo x | python3 -c "{tell}"').stdout.strip() == str(CLIENT_PATH)


def test_a_provgraph_of_its_own_comes_first(tmp_path):
    own = tmp_path / "site" / "provgraph"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("mine = 'mine'")
    (own / "part.py").write_text("whole = 'whole'")
    code = (
        f"import sys; sys.path.append({str(own.parent)!r}); from provgraph import mine, part; print(mine, part.whole)"
    )
    environment = {**os.environ, "PYTHONPATH": str(CLIENT_PATH)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == "mine whole\n", done.stderr
