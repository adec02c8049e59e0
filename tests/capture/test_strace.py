"""``run --capture strace``: a real log of a real command, and lines as strace prints them."""

import os
import shutil
import subprocess
import sys

import pytest

from provgraph.capture.strace import LogReader, command, events, unescaped
from provgraph.client.path_class import Classifier
from provgraph.client.statwalk import walk

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "p").mkdir()
    return tmp_path / "p"


def traced(root, argv):
    """Code, paths and how of the operations of a real command; programs and environments left out."""
    classifier = Classifier(str(root), "/nonexistent")
    before = walk(classifier).files
    log = root.parent / "log"
    done = subprocess.run(command(argv, str(log)), cwd=root, capture_output=True, text=True, check=False)
    if not log.exists() or "ptrace" in done.stderr:
        pytest.skip(f"strace does not work here: {done.stderr}")
    with open(log, "rb") as lines:
        found = LogReader(classifier, str(root), before).operations(lines)
    prefix = str(root) + "/"
    return [
        [item.removeprefix(prefix) if isinstance(item, str) else item for item in op if not isinstance(item, list)]
        for op in found
        if op[0] not in {"x", "v"}
    ]


def short(found):
    return [(op[0], *[item for item in op[2:] if isinstance(item, str)]) for op in found]


@needs_strace
def test_reads_and_writes_of_a_pipeline(root):
    (root / "in").write_text("b\na\n")
    found = short(traced(root, ["sh", "-c", "sort < in | uniq > out; cat out >> all; cat nosuch; true"]))
    # The two sides of a pipe start in any order.
    assert sorted(found) == [("r", "in"), ("r", "out"), ("w", "all", "create"), ("w", "out", "create")]


@needs_strace
def test_names_that_strace_escapes(root):
    name = os.fsdecode(b'a "q" \n \xff\xc3\xbc <x>')
    (root / name).write_text("1")
    assert short(traced(root, ["cat", name])) == [("r", name)]


@needs_strace
def test_renames_links_deletes_and_folders(root):
    (root / "d").mkdir()
    (root / "d/a").write_text("1")
    (root / "over").write_text("2")
    text = "cd d; mv a b; ln -s b l; cat l; cd ..; ln d/b h; rm h; chmod 600 d/b; mv d/b over; : > over"
    assert short(traced(root, ["sh", "-c", text])) == [
        ("m", "d/a", "d/b"),
        ("w", "d/l", "symlink"),
        ("r", "d/l"),
        ("r", "d/b"),
        ("l", "d/b", "h"),
        ("d", "h"),
        ("w", "d/b", "mode"),
        ("m", "d/b", "over"),
        ("w", "over", "truncate"),
    ]


@needs_strace
def test_modes_of_opening(root):
    for name in ("append", "update", "truncate", "cut"):
        (root / name).write_text("12345")
    code = (
        "import os; open('append', 'a').close(); open('update', 'r+').close(); open('truncate', 'w').close();"
        "os.truncate('cut', 1); open('new', 'x').close(); os.open('.', os.O_RDONLY)"
    )
    found = short(traced(root, [sys.executable, "-I", "-S", "-c", code]))
    assert [op for op in found if "/" not in op[1]] == [
        ("w", "append", "append"),
        ("w", "update", "update"),
        ("w", "truncate", "truncate"),
        ("w", "cut", "update"),
        ("w", "new", "create"),
    ]


@needs_strace
def test_many_processes_at_once(root):
    for number in range(30):
        (root / f"in{number}").write_text(str(number))
    text = "for i in $(seq 0 29); do (cat in$i > out$i) & done; wait"
    found = short(traced(root, ["sh", "-c", text]))
    assert sorted(found) == sorted(
        [("r", f"in{n}") for n in range(30)] + [("w", f"out{n}", "create") for n in range(30)]
    )


def test_interrupted_and_failed_calls():
    lines = [
        b'7 1.5 openat(AT_FDCWD</p>, "a, \\"b\\")", O_RDONLY <unfinished ...>\n',
        b'8 1.6 openat(AT_FDCWD</p>, "x", O_RDONLY) = -1 ENOENT (No such file or directory)\n',
        b"7 1.7 <... openat resumed>) = 3</p/a>\n",
        b'8 1.8 execve("/bin/x", ["x", "(", "]"...], 0x7f /* 3 vars */) = 0\n',
        b"8 1.9 +++ exited with 0 +++\n",
        b'9 2.0 open("gone", O_RDONLY <unfinished ...>\n',
        b"no line of strace\n",
        b'9 2.1 openat(AT_FDCWD</p>, "x", O_RDONLY) = ?\n',
    ]
    assert [(e.pid, e.name, e.arguments, e.result) for e in events(lines)] == [
        (7, "openat", ["AT_FDCWD</p>", '"a, \\"b\\")"', "O_RDONLY"], "3</p/a>"),
        (8, "execve", ['"/bin/x"', '["x", "(", "]"...]', "0x7f /* 3 vars */"], "0"),
    ]


def test_relative_paths_without_a_named_folder(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/x").write_text("")
    (tmp_path / "y").write_text("")
    lines = [
        f'1 1.0 chdir("{tmp_path}/d") = 0\n',
        "1 1.1 fork() = 2\n",
        '2 1.2 open("x", O_RDONLY) = 3\n',
        '2 1.3 chdir("..") = 0\n',
        '2 1.4 open("y", O_RDONLY) = 3\n',
        '2 1.5 rename("y", "d/z") = 0\n',
        '2 1.6 creat("n", 0666) = 3\n',
    ]
    classifier = Classifier(str(tmp_path), "/nonexistent")
    reader = LogReader(classifier, "/", walk(classifier).files, offset_ns=10)
    found = reader.operations(line.encode() for line in lines)
    prefix = str(tmp_path)
    assert [(op[0], op[1], op[2]) for op in found] == [
        ("r", 1_200_000_010, f"{prefix}/d/x"),
        ("r", 1_400_000_010, f"{prefix}/y"),
        ("m", 1_500_000_010, f"{prefix}/y"),
        ("w", 1_600_000_010, f"{prefix}/n"),
    ]


@pytest.mark.parametrize(
    ("printed", "path"),
    [
        ('"a\\n\\tb"', "a\n\tb"),
        ('"\\303\\274"', "ü"),
        ('"\\377"', "\udcff"),
        ('"\\0011"', "\x011"),
        ("\\74x\\76", "<x>"),
    ],
)
def test_escapes(printed, path):
    assert unescaped(printed) == path
