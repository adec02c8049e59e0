"""Recall: every file that a real workload reads and writes, against a list made by hand, and no file beside."""

import os
import shutil
import subprocess
import sys

import pytest

TRAIN = """
import sys, json, pickle
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
config = json.load(open("config.json"))
frame = pd.read_csv("data/train.csv")
labels = np.load("data/labels.npy")
model = LogisticRegression(C=config["C"]).fit(frame.values, labels)
pickle.dump(model, open("model.pkl", "wb"))
json.dump({"score": model.score(frame.values, labels)}, open("metrics.json", "w"))
frame.describe().to_csv("summary.csv")
"""


def touched(watched, index=-1):
    """(read, written or made by a rename, deleted), from the project's root; scratch files apart."""
    prefix = f"{watched.root}/"
    read, written, deleted, scratch = set(), set(), set(), set()
    for op in watched.ops(index=index):
        path = op[2].removeprefix(prefix) if isinstance(op[2], str) else ""
        if op[0] == "r" and op[2].startswith(prefix) and path not in written:
            read.add(path)
        elif op[0] == "w" and op[2].startswith(prefix):
            written.add(path)
            scratch |= {path} if op[3] is None else set()
        elif op[0] in "lm" and op[3].startswith(prefix):
            target = op[3].removeprefix(prefix)
            written.add(target)
            scratch |= {target} if op[0] == "l" or op[5] is None else set()
            if op[0] == "m":
                written.discard(path)
                deleted |= set() if path in scratch else {path}
        elif op[0] == "d" and op[2].startswith(prefix):
            deleted |= set() if path in scratch else {path}
            written.discard(path)
    return read, written, deleted


def test_training(watched):
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    import numpy as np

    (watched.root / "data").mkdir()
    (watched.root / "config.json").write_text('{"C": 1.0}')
    (watched.root / "data/train.csv").write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(50)))
    np.save(watched.root / "data/labels.npy", [i % 2 for i in range(50)])
    (watched.root / "train.py").write_text(TRAIN)
    result = watched.run(sys.executable, "train.py")
    assert result.returncode == 0, result.stderr
    assert touched(watched) == (
        {"train.py", "config.json", "data/train.csv", "data/labels.npy"},
        {"model.pkl", "metrics.json", "summary.csv"},
        set(),
    )
    assert len([op for op in watched.ops("r") if op[2].startswith("/")]) < 30  # the environment is no list of files


def test_two_hundred_processes(watched):
    for number in range(200):
        (watched.root / f"in{number}").write_text("x")
    watched.run("sh", "-c", "i=0; while [ $i -lt 200 ]; do cp in$i out$i; i=$((i+1)); done")
    names = range(200)
    assert touched(watched) == ({f"in{n}" for n in names}, {f"out{n}" for n in names}, set())


@pytest.mark.skipif(not (shutil.which("make") and shutil.which("cc")), reason="no compiler here")
def test_make(watched):
    (watched.root / "m.h").write_text("int f(void);\n")
    (watched.root / "m.c").write_text('#include "m.h"\nint f(void) { return 3; }\n')
    (watched.root / "main.c").write_text('#include "m.h"\nint main(void) { return f(); }\n')
    (watched.root / "Makefile").write_text("prog: m.o main.o\n\tcc -o prog m.o main.o\n%.o: %.c m.h\n\tcc -c $<\n")
    assert watched.run("make").returncode == 0
    read, written, deleted = touched(watched)
    assert read == {"Makefile", "m.c", "m.h", "main.c"}
    assert (written, deleted) == ({"m.o", "main.o", "prog"}, set())


def test_pipeline(watched):
    (watched.root / "a").write_text("b\na\na\n")
    watched.run("sh", "-c", "sort a | uniq -c | tee counts > copy")
    assert touched(watched) == ({"a"}, {"counts", "copy"}, set())


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_git_commit(watched):
    (watched.root / "code.py").write_text("x = 1\n")
    os.utime(watched.root / "code.py", (1e9, 1e9))  # else git reads it again, its index being no older
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", "."], cwd=watched.root, check=True)
    assert watched.run(*git, "add", "code.py").returncode == 0
    assert touched(watched) == ({"code.py"}, set(), set())
    watched.clear()
    assert watched.run(*git, "commit", "-qm", "message").returncode == 0
    assert touched(watched) == (set(), set(), set())
    watched.clear()
    (watched.root / "code.py").write_text("x = 2\n")
    assert watched.run("git", "checkout", "-q", "code.py").returncode == 0
    assert touched(watched)[1] == {"code.py"}
    kept = [op[4] for op in watched.ops("d")] + [op[5] for op in watched.ops("w") if op[5]]
    assert [watched.preimage(name) for name in kept if name] == [b"x = 2\n"]


def test_copied_tree(watched):
    (watched.root / "tree/sub").mkdir(parents=True)
    (watched.root / "tree/a").write_text("1")
    (watched.root / "tree/sub/b").write_text("2")
    watched.run("cp", "-r", "tree", "copy")
    assert touched(watched) == ({"tree/a", "tree/sub/b"}, {"copy/a", "copy/sub/b"}, set())


def test_mapped_memory(watched):
    (watched.root / "in").write_bytes(b"x" * 4096)
    (watched.root / "both").write_bytes(b"y" * 4096)
    script = (
        "import mmap\nwith open('in', 'rb') as f: data = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:]\n"
        "with open('both', 'r+b') as f: mmap.mmap(f.fileno(), 0)[:] = data\n"
    )
    watched.run("python3", "-c", script)
    assert touched(watched) == ({"in", "both"}, {"both"}, set())
    assert watched.preimage(watched.ops("w")[0][5]) == b"y" * 4096


def test_renamed_over_its_target(watched):
    (watched.root / "config").write_text("old")
    watched.run("sh", "-c", "cat config > config.tmp; mv config.tmp config")
    assert touched(watched) == ({"config"}, {"config"}, set())
    assert watched.preimage(watched.ops("m")[0][6]) == b"old"


def test_five_thousand_files(watched):
    (watched.root / "many").mkdir()
    for number in range(5000):
        (watched.root / f"many/{number}").write_text("x")
    (watched.root / "read.py").write_text("for i in range(5000): open(f'many/{i}').read()\n")
    watched.run("python3", "read.py")
    assert touched(watched) == ({"read.py"} | {f"many/{n}" for n in range(5000)}, set(), set())


def test_static_program_and_raw_calls(watched):
    """A library in between would not see these; also calls without a descriptor for the folder."""
    if not shutil.which("cc") or os.uname().machine != "x86_64":
        pytest.skip("no compiler here")
    source = (
        "#define _GNU_SOURCE\n#include <fcntl.h>\n#include <unistd.h>\n#include <sys/syscall.h>\n#include <stdio.h>\n"
        'int main(void) { long fd = syscall(SYS_open, "in", O_RDONLY); char c; read(fd, &c, 1);\n'
        ' fd = syscall(SYS_creat, "out", 0644); write(fd, &c, 1); syscall(SYS_rename, "out", "moved");\n'
        ' syscall(SYS_link, "moved", "second"); syscall(SYS_unlink, "gone"); return 0; }\n'
    )
    (watched.root.parent / "raw.c").write_text(source)
    subprocess.run(["cc", "-static", "-o", "raw", "../raw.c"], cwd=watched.root, check=True)
    (watched.root / "in").write_text("x")
    (watched.root / "gone").write_text("was here")
    assert watched.run("./raw").returncode == 0
    assert touched(watched) == ({"raw", "in"}, {"moved", "second"}, {"gone"})
    assert watched.preimage(watched.ops("d")[0][4]) == b"was here"


def test_threads(watched):
    for number in range(64):
        (watched.root / f"in{number}").write_text("x")
    script = (
        "import concurrent.futures as c\ndef f(i):\n open(f'out{i}', 'w').write(open(f'in{i}').read())\n"
        "list(c.ThreadPoolExecutor(16).map(f, range(64)))"
    )
    watched.run("python3", "-c", script)
    assert touched(watched) == ({f"in{n}" for n in range(64)}, {f"out{n}" for n in range(64)}, set())


def test_unnamed_file_gets_a_name(watched):
    script = (
        "import os\nfd = os.open('.', os.O_TMPFILE | os.O_WRONLY)\nos.write(fd, b'x')\n"
        "os.link(f'/proc/self/fd/{fd}', 'named', src_dir_fd=0, follow_symlinks=True)"
    )
    assert watched.run("python3", "-c", script).returncode == 0
    assert touched(watched) == (set(), {"named"}, set())
