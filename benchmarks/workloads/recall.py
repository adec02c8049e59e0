"""Workloads whose reads, writes and deletes are listed by hand.

What counts follows the rules of the graph: *read* is what a command opened for reading and had not written itself,
what it appended to or changed in place, and a symlink beside what it points at; *written* is what it created or
changed; *deleted* is what was there before and is gone. Paths are relative to the project.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = "PYTHON"
"""Stands for the interpreter of the run."""
NOTEBOOK = "NOTEBOOK"
"""Stands for an interpreter that has a Jupyter kernel."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A command and what it reads, writes and deletes.

    Parameters:
        files: name → content, made before the project.
        argv: the command, or
        line: a shell line for ``provdb -c``.
        prepare: further preparation in the project's folder.
        stdin, stdout: files that the calling shell opens for it.
        needs: programs and Python modules without which it is left out.
    """

    name: str
    argv: tuple[str, ...] = ()
    line: str = ""
    files: dict[str, str] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    prepare: Callable[[Path], None] | None = None
    stdin: str = ""
    stdout: str = ""
    needs: tuple[str, ...] = ()


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _numbered(pattern: str, count: int) -> frozenset[str]:
    return frozenset(pattern.format(number) for number in range(count))


def _shell(name: str, script: str, files: str = "", reads: str = "", writes: str = "", deletes: str = "") -> Workload:
    """A line of sh over small files of distinct content."""
    contents = {file: f"{file} {name}\nsecond line\n" for file in files.split()}
    found = (_names(reads), _names(writes), _names(deletes))
    return Workload(name, ("sh", "-c", script), "", contents, *found)


def _python(
    name: str, script: str, files: str = "", reads: str = "", writes: str = "", deletes: str = "", *needs: str
) -> Workload:
    """A Python script, itself a file of the project and thus read."""
    contents = {file: f"{file} {name}\nsecond line\n" for file in files.split()}
    contents["work.py"] = script
    found = (_names(reads) | {"work.py"}, _names(writes), _names(deletes))
    return Workload(name, (PYTHON, "work.py"), "", contents, *found, needs=needs)


def _train() -> Workload:
    rows = "\n".join(f"{n % 7},{n % 11},{n % 2}" for n in range(400))
    return Workload(
        "training with pandas and scikit-learn",
        (PYTHON, "train.py"),
        files={
            "data.csv": f"a,b,y\n{rows}\n",
            "config.json": '{"c": 1.0}',
            "features.py": "def features(frame):\n    return frame[['a', 'b']]\n",
            "train.py": (
                "import json, joblib, pandas as pd\n"
                "from sklearn.linear_model import LogisticRegression\n"
                "from features import features\n"
                "config, frame = json.load(open('config.json')), pd.read_csv('data.csv')\n"
                "model = LogisticRegression(C=config['c']).fit(features(frame), frame.y)\n"
                "joblib.dump(model, 'model.joblib')\n"
                "json.dump({'score': model.score(features(frame), frame.y)}, open('metrics.json', 'w'))\n"
            ),
        },
        reads=_names("data.csv config.json features.py train.py"),
        writes=_names("model.joblib metrics.json"),
        needs=("pandas", "sklearn"),
    )


def _make() -> Workload:
    return Workload(
        "make with a C compiler",
        ("make",),
        files={
            "Makefile": "prog: a.o b.o\n\tcc -o prog a.o b.o\n%.o: %.c h.h\n\tcc -c -o $@ $<\n",
            "a.c": '#include "h.h"\nint main(void) { return b(); }\n',
            "b.c": '#include "h.h"\nint b(void) { return 0; }\n',
            "h.h": "int b(void);\n",
        },
        reads=_names("Makefile a.c b.c h.h"),
        writes=_names("a.o b.o prog"),
        needs=("make", "cc"),
    )


def _static_binary() -> Workload:
    source = (
        '#include <fcntl.h>\n#include <unistd.h>\nint main(void) { char b[64]; int i = open("in", O_RDONLY);'
        ' int o = creat("out", 0644); long n = read(i, b, 64); return write(o, b, n) != n; }\n'
    )

    def compile_it(folder: Path) -> None:
        subprocess.run(["cc", "-static", "-o", "copy", "copy.c"], cwd=folder, check=True)

    return Workload(
        "a statically linked program",
        ("./copy",),
        files={"copy.c": source, "in": "content"},
        reads=_names("copy in"),
        writes=_names("out"),
        prepare=compile_it,
        needs=("cc",),
    )


def _git_commit() -> Workload:
    def repository(folder: Path) -> None:
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)

    identity = "git -c user.name=A -c user.email=a@example.org"
    return Workload(
        "git add and commit",
        ("sh", "-c", f"git add -A && {identity} commit -q -m first"),
        files={"a.txt": "a", "sub/b.txt": "b"},
        reads=_names("a.txt sub/b.txt"),
        prepare=repository,
        needs=("git",),
    )


def _own_environment() -> Workload:
    def environment(folder: Path) -> None:
        subprocess.run(["python3", "-m", "venv", "--without-pip", ".venv"], cwd=folder, check=True)

    return Workload(
        "an interpreter in the project's .venv",
        (".venv/bin/python", "work.py"),
        files={"work.py": "import json, decimal, csv\nopen('out', 'w').write(open('in').read())\n", "in": "x"},
        reads=_names("work.py in"),
        writes=_names("out"),
        prepare=environment,
    )


def _symlink() -> Workload:
    return Workload(
        "reading through a symlink",
        ("cat", "link"),
        files={"target": "content"},
        reads=_names("link target"),
        prepare=lambda folder: os.symlink("target", folder / "link"),
    )


def _strange_names() -> Workload:
    def files(folder: Path) -> None:
        for name in (b"new\nline", b"quo'te\"", b"caf\xe9", "日本".encode(), b" blank "):
            Path(os.path.join(os.fsdecode(bytes(folder)), os.fsdecode(name))).write_text("x")

    names = ("new\nline", "quo'te\"", "caf%E9", "日本", " blank ")
    return Workload(
        "names with newlines, quotes, blanks and bytes that are no UTF-8",
        ("sh", "-c", "mkdir out && cp * out/ 2>/dev/null || test -d out"),
        reads=frozenset(names),
        writes=frozenset(f"out/{name}" for name in names),
        prepare=files,
    )


def _executable_script() -> Workload:
    return Workload(
        "a script with an interpreter line",
        ("./run.sh",),
        files={"run.sh": "#!/bin/sh\n. ./settings\ncat in > out\n", "settings": "A=1\n", "in": "x\n"},
        reads=_names("run.sh settings in"),
        writes=_names("out"),
        prepare=lambda folder: (folder / "run.sh").chmod(0o755),
    )


RAW_CALLS = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
AT = -100
x86 = platform.machine() == "x86_64"
def checked(value):
    assert value >= 0, ctypes.get_errno()
    return value
class How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]
checked(libc.syscall(2, b"a", 0) if x86 else libc.syscall(56, AT, b"a", 0))
how = How(0, 0, 0)
checked(libc.syscall(437, AT, b"b", ctypes.byref(how), 24))
checked(libc.syscall(85, b"c", 0o644) if x86 else libc.syscall(56, AT, b"c", 0o1101, 0o644))
how = How(0o101, 0o644, 0)
checked(libc.syscall(437, AT, b"d", ctypes.byref(how), 24))
"""

KERNEL = """
import jupyter_client
manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
client.execute_interactive("open('out', 'w').write(open('in').read())", timeout=60)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def _numbers() -> list[Workload]:
    two_hundred = {f"in/{n}": f"{n}" for n in range(200)}
    many = {f"in/{n}": f"{n}" for n in range(5000)}
    spawn = "import os, subprocess\nos.mkdir('out')\n"
    spawn += "for n in range(200): subprocess.run(['cp', f'in/{n}', f'out/{n}'], check=True)\n"
    return [
        Workload(
            "200 subprocesses, a read and a write each",
            (PYTHON, "work.py"),
            files={"work.py": spawn, **two_hundred},
            reads=_numbered("in/{}", 200) | {"work.py"},
            writes=_numbered("out/{}", 200),
        ),
        Workload(
            "cp -r of 200 files",
            ("cp", "-r", "in", "out"),
            files=two_hundred,
            reads=_numbered("in/{}", 200),
            writes=_numbered("out/{}", 200),
        ),
        Workload(
            "5,000 files read",
            (PYTHON, "work.py"),
            files={"work.py": "for n in range(5000): open(f'in/{n}').read()\n", **many},
            reads=_numbered("in/{}", 5000) | {"work.py"},
        ),
        Workload(
            "cp -r of 5,000 files",
            ("cp", "-r", "in", "out"),
            files=many,
            reads=_numbered("in/{}", 5000),
            writes=_numbered("out/{}", 5000),
        ),
        Workload("5,000 files deleted", ("rm", "-r", "in"), files=many, deletes=_numbered("in/{}", 5000)),
        Workload(
            "a folder of 200 files renamed",
            ("mv", "in", "out"),
            files=two_hundred,
            reads=_numbered("in/{}", 200),
            writes=_numbered("out/{}", 200),
            deletes=_numbered("in/{}", 200),
        ),
        Workload(
            "xargs -P 4 over 200 files",
            ("sh", "-c", "mkdir out; ls in | xargs -P 4 -I{} cp in/{} out/{}"),
            files=two_hundred,
            reads=_numbered("in/{}", 200),
            writes=_numbered("out/{}", 200),
        ),
    ]


def _programs() -> list[Workload]:
    pool = "from multiprocessing import get_context\ndef work(n): open(f'out{n}', 'w').write(open(f'in{n}').read())\n"
    pool += "if __name__ == '__main__':\n    with get_context('METHOD').Pool(4) as pool: pool.map(work, range(8))\n"
    inputs, outputs = " ".join(f"in{n}" for n in range(8)), " ".join(f"out{n}" for n in range(8))
    threads = "from concurrent.futures import ThreadPoolExecutor\n"
    threads += "def work(n): open(f'out{n}', 'w').write(open(f'in{n}').read())\n"
    threads += "with ThreadPoolExecutor(8) as pool: list(pool.map(work, range(8)))\n"
    table = "import sqlite3\ndb = sqlite3.connect('t.db')\n"
    database = Workload(
        "SQLite: rows added to a database",
        (PYTHON, "work.py"),
        files={"work.py": table + "db.execute('INSERT INTO t SELECT max(n) + 1 FROM t')\ndb.commit()\n"},
        reads=_names("work.py t.db"),
        writes=_names("t.db"),
        prepare=lambda folder: _make_database(folder / "t.db"),
    )
    return [
        _train(),
        _make(),
        _git_commit(),
        _static_binary(),
        _own_environment(),
        _python("a process pool by fork", pool.replace("METHOD", "fork"), inputs, inputs, outputs),
        _python("a process pool by spawn", pool.replace("METHOD", "spawn"), inputs, inputs, outputs),
        _python("eight threads", threads, inputs, inputs, outputs),
        Workload("a Jupyter kernel", (NOTEBOOK, "work.py"), "", {"work.py": KERNEL, "in": "x"},
                 _names("work.py in"), _names("out")),
        _python("raw system calls: open, openat2, creat", RAW_CALLS, "a b", "a b", "c d"),
        _python("NumPy: a mapped array read, another changed in place",
                "import numpy as np\na = np.memmap('a', 'u1', 'r')\nb = np.memmap('b', 'u1', 'r+')\n"
                "b[0] = a[1]\nb.flush()\n", "a b", "a b", "b", "", "numpy"),
        _python("NumPy, pandas and pickle files",
                "import numpy as np, pandas as pd\nframe = pd.read_csv('a', header=None, sep='|')\n"
                "frame.to_pickle('p.pkl')\nframe.to_csv('o.csv')\nnp.savez('n.npz', x=np.arange(3))\n"
                "pd.read_pickle('p.pkl'); np.load('n.npz')\n", "a", "a", "p.pkl o.csv n.npz", "", "pandas"),
        database,
        _python("shutil: copyfile, copytree, move",
                "import shutil\nshutil.copyfile('a', 'b')\nshutil.copytree('d', 'e')\nshutil.move('c', 'm')\n",
                "a c d/x d/y", "a c d/x d/y", "b e/x e/y m", "c"),
        _python("zip and tar", "import zipfile, tarfile\n"
                "with zipfile.ZipFile('z.zip', 'w') as z: z.write('a')\n"
                "with tarfile.open('t.tar', 'w') as t: t.add('b')\n"
                "zipfile.ZipFile('z.zip').extractall('x')\n", "a b", "a b", "z.zip t.tar x/a"),
        _python("paths relative to a folder's descriptor",
                "import os\nd = os.open('d', os.O_RDONLY)\ni = os.open('x', os.O_RDONLY, dir_fd=d)\n"
                "os.fchdir(d)\nos.write(os.open('y', os.O_WRONLY | os.O_CREAT, 0o644), os.read(i, 9))\n",
                "d/x", "d/x", "d/y"),
    ]  # fmt: skip


def _make_database(path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (n INTEGER)")
        db.execute("INSERT INTO t VALUES (1)")


def _single_calls() -> list[Workload]:
    daemon = "(setsid sh -c 'sleep 0.7; cat in > late' >/dev/null 2>&1 &)"
    return [
        _python("renamed over its target", "import os\nopen('t', 'w').write('new')\nos.replace('t', 'f')\n",
                "f", "", "f"),
        _python("opened read-write, unchanged", "open('f', 'r+').read()\n", "f", "f"),
        _python("opened write-only, unchanged", "import os\nos.close(os.open('f', os.O_WRONLY))\n", "f"),
        _python("changed in place", "f = open('f', 'r+')\nf.write('X')\n", "f", "f", "f"),
        _python("truncated by path", "import os\nos.truncate('f', 3)\n", "f", "f", "f"),
        _python("written, then read by itself", "open('f', 'w').write('x')\nopen('f').read()\n", "", "", "f"),
        _python("deleted and made anew", "import os\nos.remove('f')\nopen('f', 'w').write('x')\n", "f", "", "f"),
        _python("an unnamed file, linked into place",
                "import os\nfd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o644)\nos.write(fd, b'x')\n"
                "os.link(f'/proc/self/fd/{fd}', 'f', src_dir_fd=os.open('/', os.O_RDONLY))\n", "", "", "f"),
        _python("scratch files", "import tempfile\nwith tempfile.NamedTemporaryFile(dir='.') as f: f.write(b'x')\n"),
        _python("a double fork", "import os\nif os.fork() == 0:\n"
                "    if os.fork() == 0: open('f', 'w').write(open('i').read())\n"
                "    else: os.wait()\n    os._exit(0)\nos.wait()\n", "i", "i", "f"),
        _shell("only looked at: stat, test, ls, a file that is not there",
               "stat a; test -f b; ls -l; cat absent; test -r a", "a b"),
        _shell("appended", "echo more >> log", "log", "log", "log"),
        _shell("overwritten by a redirection", "echo new > f", "f", "", "f"),
        _shell("sort of a file into itself", "sort -r -o f f", "f", "f", "f"),
        _shell("sort of a sorted file into itself", "sort -o f f", "f", "f"),
        _shell("sed -i", "sed -i s/second/first/ f", "f", "f", "f"),
        _shell("truncate -s", "truncate -s 3 f", "f", "f", "f"),
        _shell("a pipeline in a shell", "sort words | uniq -c > counts", "words", "words", "counts"),
        _shell("tee into two files", "cat a | tee b c > d", "a", "a", "b c d"),
        _shell("dd", "dd if=a of=b bs=7", "a", "a", "b"),
        _shell("find -exec", "find d -type f -exec cat {} + > all", "d/a d/b d/e/c", "d/a d/b d/e/c", "all"),
        _shell("awk into files named by it", "awk '{ print > $1 \".out\" }' in", "in", "in", "in.out second.out"),
        _shell("gzip", "gzip a", "a", "a", "a.gz", "a"),
        _shell("split", "split -l 1 a part.", "a", "a", "part.aa part.ab"),
        _shell("tar, there and back", "tar cf t.tar a b && mkdir x && tar xf t.tar -C x",
               "a b", "a b", "t.tar x/a x/b"),
        _shell("mv of a file", "mv a b", "a", "a", "b", "a"),
        _shell("mv over another", "mv a b", "a b", "a", "b", "a"),
        _shell("rm and rm -r", "rm a; rm -r d", "a d/x d/y", "", "", "a d/x d/y"),
        _shell("a hard link", "ln a b", "a", "a", "b"),
        _shell("a new symlink", "ln -s a b", "a", "", "b"),
        _shell("a FIFO between two processes", "mkfifo p; cat a > p & cat p > b; wait; rm p", "a", "a", "b"),
        _shell("a descriptor opened by exec", "exec 3<a; cat <&3; cat /dev/fd/4 4<b", "a b", "a b"),
        _shell("a subshell in another folder", "(cd d && cat x > ../y); cat y", "d/x", "d/x", "y"),
        _shell("background children", "cat a > b & cat c > d & wait", "a c", "a c", "b d"),
        _shell("a daemon that outlives the command", daemon, "in", "in", "late"),
        _shell("a here-document", "cat > f <<E\nx\nE\n", "", "", "f"),
        Workload("process substitution", ("bash", "-c", "diff <(sort a) <(sort b) > d; true"),
                 files={"a": "1\n2\n", "b": "1\n3\n"}, reads=_names("a b"), writes=_names("d")),
        Workload("redirections of the calling shell", ("sort",), files={"a": "2\n1\n"}, reads=_names("a"),
                 writes=_names("b"), stdin="a", stdout="b"),
        Workload("a pipeline by `provdb -c`", line="sort words | uniq -c > counts", files={"words": "b\na\n"},
                 reads=_names("words"), writes=_names("counts")),
        _symlink(),
        _strange_names(),
        _executable_script(),
    ]  # fmt: skip


def workloads() -> Iterable[Workload]:
    """All of them; those of many files first."""
    return [*_numbers(), *_programs(), *_single_calls()]
