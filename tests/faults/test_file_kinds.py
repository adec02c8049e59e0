"""Names and kinds of files that break programs, through capture, ingestion and questions."""

import hashlib
import os
import socket
import sys

import pytest

NAMES = [
    "with space", "new\nline", "quo'te", 'dou"ble', "back\\slash", "tab\t", "-dash", "ünï", "*glob?[x]", "a@2",
    "%1", "trailing ", "semi;colon&", "$(echo x)", "\x1b[31mred", "ends\n",
]  # fmt: skip


def test_any_file_name(lab, sound):
    lab.write("in", "1\n")
    script = "import sys\nfor name in sys.argv[1:]:\n    open(name, 'w').write(open('in').read() + name)\n"
    lab.write("copy.py", script)
    lab.python("copy.py", *NAMES)
    lab.run(sys.executable, "-c", "import sys; [open(n).read() for n in sys.argv[1:]]; open('all', 'w')", *NAMES)
    graph = sound(lab)
    reader = graph.generator(graph.snapshots("all")[0])
    writer = graph.generator(graph.snapshots("with space")[0])
    assert set(NAMES) <= graph.generated(writer)
    assert set(NAMES) <= graph.used(reader)
    (line,) = {len(lab.run("log", "--limit", "1").stdout.splitlines())}
    assert line == 2, "no name breaks a line of the table"
    assert "\x1b" not in lab.run("lineage", "all").stdout
    for name in NAMES[1:5]:
        uid = graph.snapshots(name)[0]
        assert lab.run("restore", uid, "-o", "-").stdout == "1\n" + name
    rows = lab.provdb.rows("MATCH (s:Snapshot)-[:wasGeneratedBy]->(:Command) RETURN s.path")
    assert {path for (path,) in rows} >= set(NAMES)


def test_names_that_are_no_text(lab, sound):
    name = b"caf\xe9\xff"
    lab.provdb.command([b"provdb", b"sh", b"-c", b'echo 1 > "$1"; cat "$1" > copy', b"sh", name], text=False)
    lab.provdb.command([b"provdb", b"cat", name], text=False)
    graph = sound(lab)
    (uid,) = [uid for uid in graph.of("Snapshot") if "path_bytes" in graph.vertices[uid]]
    assert lab.run("restore", uid, "-o", "-").stdout == "1\n"
    reader = [uid for uid in graph.of("Command") if graph.vertices[uid]["utility"] == "cat"]
    assert graph.targets("used", reader[0])
    assert lab.provdb.json("lineage", uid)["vertices"]


def test_symlinks_loops_and_links_to_folders(lab, sound):
    lab.write("data/file", "1\n")
    lab.run("sh", "-c", "ln -s data/file one; ln -s one two; ln -s data folder; ln -s loop loop; ln -s nowhere broken")
    lab.run("sh", "-c", "cat two folder/file > out; cat loop broken 2> /dev/null; echo 2 > one; exit 0")
    graph = sound(lab)
    reader = graph.command("cat two")
    assert graph.used(reader) == {"one", "two", "folder", "data/file"} or graph.used(reader) == {
        "one", "two", "data/file"}  # fmt: skip
    assert graph.generated(reader) == {"out", "data/file"}
    assert lab.run("restore", "data/file@1", "-o", "-").stdout == "1\n"
    lab.run("restore", graph.snapshots("two")[0], "-o", "restored")
    assert os.readlink(lab.root / "restored") == "one"


def test_fifos_sockets_and_devices_are_no_content(lab, sound):
    with socket.socket(socket.AF_UNIX) as server:
        place = os.getcwd()
        os.chdir(lab.root)
        try:
            server.bind("socket")
        finally:
            os.chdir(place)
        script = (
            "mkfifo fifo; (echo 1 > fifo &); cat fifo > out; head -c 3 /dev/zero >> out; echo x > /dev/null;"
            " cat socket 2> /dev/null; cat /proc/self/status /sys/kernel/mm/transparent_hugepage/enabled > /dev/null; "
            "echo in > /dev/shm/provgraph-$$; rm /dev/shm/provgraph-$$; ls -l fifo socket > listing; rm fifo"
        )
        lab.run("sh", "-c", script)
    lab.notice()
    graph = sound(lab)
    command = graph.command("mkfifo")
    assert graph.used(command) == set()
    assert graph.generated(command) == {"out", "listing"}


def test_a_sparse_file(lab, sound):
    size = 80 << 20
    lab.run(sys.executable, "-c", f"f = open('sparse', 'wb'); f.truncate({size}); f.seek({size // 2}); f.write(b'x')")
    lab.run("sh", "-c", "head -c 1 sparse > out")
    graph = sound(lab)
    (uid,) = graph.snapshots("sparse")
    content = bytearray(size)
    content[size // 2] = ord("x")
    assert graph.vertices[uid]["sha256"] == hashlib.sha256(content).hexdigest()
    assert graph.vertices[uid]["size_bytes"] == size
    objects = [path for path in (lab.root / ".provdb/objects").rglob("*") if path.is_file()]
    assert sum(path.stat().st_blocks for path in objects) * 512 < 4 << 20


def test_files_that_change_while_they_are_read(lab, sound):
    """Never a digest of bytes that were not there: what is claimed is one of the states that the file had."""
    states = [f"{number}\n" * 200_000 for number in range(4)]
    digests = {hashlib.sha256(text.encode()).hexdigest() for text in states}
    lab.write("moving", states[0])
    running = [
        lab.start("sh", "-c", f"for i in 1 2 3 4 5; do cat moving > /dev/null; done; echo > out.{n}") for n in range(3)
    ]
    number = 0
    while any(process.poll() is None for process in running):
        number += 1
        new = lab.root / "new"
        new.write_text(states[number % 4])
        if number % 2:
            new.replace(lab.root / "moving")
        else:
            (lab.root / "moving").write_text(states[number % 4])
    assert [process.wait(60) for process in running] == [0] * 3
    graph = sound(lab)
    seen = [graph.vertices[uid] for uid in graph.snapshots("moving")]
    assert seen
    truncated = {hashlib.sha256(text.encode()[:size]).hexdigest() for text in states
                 for size in {vertex["size_bytes"] for vertex in seen}}  # fmt: skip
    for vertex in seen:
        assert vertex.get("content") == "unknown" or vertex["sha256"] in digests | truncated
        assert ("sha256" in vertex) is not (vertex.get("content") == "unknown")


@pytest.mark.parametrize("how", ["read", "written", "overwritten"])
def test_a_file_beyond_the_limit_keeps_its_digest_alone(lab, sound, how):
    (lab.root / ".provdb/config.toml").write_text("[limits]\nfile_bytes = 1000\npreimage_bytes = 1000\n")
    lab.run("trust", ".")
    lab.run("true")
    lab.settle()
    data = os.urandom(5000)
    lab.write("source", data)
    script = {"read": "cat source > /dev/null", "written": "cat source > big", "overwritten": "echo 1 > source"}[how]
    lab.run("sh", "-c", script)
    graph = sound(lab)
    uid = graph.snapshots("big" if how == "written" else "source")[0]
    vertex = graph.vertices[uid]
    assert vertex["size_bytes"] == 5000
    assert vertex.get("sha256", hashlib.sha256(data).hexdigest()) == hashlib.sha256(data).hexdigest()
    assert ("sha256" in vertex) or how == "overwritten"
    assert vertex["restorable"] is False
    refused = lab.run("restore", uid, "-o", "-", check=None)
    assert (refused.returncode, refused.stdout) == (1, "")


def test_secrets_keep_the_digest_alone(lab, sound):
    secrets = {".env": "API_KEY=sesame-open-wide\n", "deploy/id_rsa": "-----BEGIN sesame-open-wide\n",
               "key.pem": "sesame-open-wide", ".netrc": "password sesame-open-wide"}  # fmt: skip
    for name, text in secrets.items():
        lab.write(name, text)
    lab.run("sh", "-c", f"cat {' '.join(secrets)} | wc -c > out; for f in {' '.join(secrets)}; do echo 2 >> $f; done")
    lab.run("sh", "-c", f"rm {' '.join(secrets)}")
    graph = sound(lab)
    for name, text in secrets.items():
        vertex = graph.vertices[graph.snapshots(name)[0]]
        assert vertex.get("sha256") in (hashlib.sha256(text.encode()).hexdigest(), None)
        for uid in graph.snapshots(name):
            assert graph.vertices[uid].get("restorable") is not True
            assert lab.run("restore", uid, "-o", "-", check=None).returncode == 1
    assert _holding(lab.root / ".provdb", b"sesame-open-wide") == []


def _holding(store, text: bytes) -> list[str]:
    """The files of a store that hold a text, packed or not."""
    import zlib

    found = []
    for path in store.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if text in data:
                found.append(str(path))
            if path.parent.parent.name == "objects" and data.endswith(b"\x01") and text in zlib.decompress(data[:-1]):
                found.append(str(path))
    return found


def test_the_ignore_file(lab, sound):
    lab.write(".provdbignore", "*.tmp\nscratch/\n!keep.tmp\n/only-here\n")
    script = (
        "mkdir -p scratch sub; echo 1 > a.tmp; echo 1 > scratch/b; echo 1 > keep.tmp; echo 1 > only-here;"
        " echo 1 > sub/only-here; cat a.tmp scratch/b > out"
    )
    lab.run("sh", "-c", script)
    lab.run("sh", "-c", "cat a.tmp keep.tmp scratch/b only-here > /dev/null; rm a.tmp; mv keep.tmp kept")
    graph = sound(lab)
    first, second = graph.command("mkdir"), graph.command("mv keep")
    assert graph.generated(first) == {"keep.tmp", "sub/only-here", "out"}
    assert graph.used(second) == {"keep.tmp"}
    assert graph.generated(second) == {"kept"}
