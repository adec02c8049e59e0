"""``provdb -c``: a line with marks behaves exactly as it does without, in bash and in dash."""

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provgraph.capture.shell_line import accepted, free_descriptor, instrument, parse, rewrite

SHELLS = [shell for shell in ("/bin/bash", "/bin/dash") if os.access(shell, os.X_OK)]
LINES = (Path(__file__).parent / "shell_lines.txt").read_text().split("\n@@\n")
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C"}
# Variables that differ from run to run, or that hold the text of the line itself.
VARYING = (
    "_|BASH_EXEC.*|PIPESTATUS|BASH_LINENO|PPID|BASHPID|S?RANDOM|EPOCH.*|SECONDS|LINENO|__s|BASH_ARG.|_.*|p|COPROC.*"
)
REPORT = (
    '\n__s=$?; set +e +x; trap - EXIT DEBUG ERR; echo "STATUS $__s"; pwd; trap; set -o\n'
    f'set | grep -v -E "^({VARYING})="\nexit $__s'
)


@pytest.fixture(scope="session")
def marks(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('marks $x "quoted" `b')
    for kind in ("element", "status"):
        (folder / kind).mkdir()
        for number in range(256):
            (folder / kind / str(number)).touch()
    return str(folder)


def run(shell: str, text: str, cwd: Path) -> tuple[int, bytes, bytes, dict[str, bytes]]:
    """Status, output, errors and files that a line leaves in a fresh folder."""
    shutil.rmtree(cwd, ignore_errors=True)
    cwd.mkdir()
    (cwd / "in").write_text("l1\nl2\n")
    done = subprocess.run(
        [shell, "-c", text],
        cwd=cwd,
        env=ENVIRONMENT,
        input=b"stdin1\nstdin2\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    files = {path.name: path.read_bytes() for path in cwd.iterdir() if path.is_file()}
    return done.returncode, done.stdout, done.stderr, files


def assert_same(shell: str, text: str, marks: str, cwd: Path) -> bool:
    """True where the line was rewritten and behaves the same; a line that is left alone proves nothing."""
    line, marked = instrument(text, marks, shell)
    if line.unparsed:
        assert marked == text
        return False
    assert run(shell, text, cwd) == run(shell, marked, cwd), marked
    return True


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", LINES)
def test_a_marked_line_behaves_as_the_line(shell, text, marks, tmp_path):
    assert_same(shell, text, marks, tmp_path / "work")
    # The second time with the environment that it leaves.
    assert_same(shell, text + REPORT, marks, tmp_path / "work")


def test_most_lines_are_taken_apart():
    taken = [text for text in LINES if parse(text).elements]
    assert len(taken) > len(LINES) * 0.85


def combined(seed: int, count: int) -> Iterator[str]:
    """Lines made of random parts of the list above, with random operators between them."""
    chance = random.Random(seed)
    atoms = [text for text in LINES if "\n" not in text and "#" not in text and parse(text).elements]
    pieces = [
        "true",
        "false",
        "(exit 3)",
        "echo $?",
        "x=1",
        "! true",
        "cd /",
        "cat in",
        "{ echo g; false; }",
        "f() { false; }",
        "f",
    ]
    for _ in range(count):
        words = [chance.choice(atoms if chance.random() < 0.25 else pieces) for _ in range(chance.randint(2, 6))]
        text = words[0]
        for word in words[1:]:
            # In the background the order of output is chance, so the line waits at once.
            glue = chance.choice([" && ", " || ", "; ", "\n", " & wait; ", " | cat; ", " &&\n"])
            text += glue + word
        yield chance.choice(["", "set -e; ", "set -u\n"]) + text


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("seed", range(4))
def test_combinations_of_lines_behave_as_they_did(shell, seed, marks, tmp_path):
    same = sum(assert_same(shell, text + REPORT, marks, tmp_path / "work") for text in combined(seed, 25))
    assert same > 12


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("form", ["PROGRAM", "true && PROGRAM", "true | PROGRAM", "(PROGRAM)", "X=$(echo 1) PROGRAM"])
def test_kill_reaches_the_program_in_the_background(shell, form, marks, tmp_path):
    """``$!`` must name the same process as without marks: where a shell stood between, ``kill $!`` would miss."""
    # The program says who it is; bash keeps a process of its own in front of && in any case.
    form = form.replace("PROGRAM", "sh -c 'echo $$ > pid; exec sleep 5' >&- 2>&-")
    tail = " & p=$!; while ! [ -s pid ]; do sleep 0.01; done; read -r q < pid; [ $p = $q ]; echo $?; kill $p; wait $p"
    line, marked = instrument(form + tail, marks, shell)
    assert not line.unparsed
    (status, output, errors), (expected_status, expected, expected_errors) = (
        run(shell, text, tmp_path / "work")[:3] for text in (marked, form + tail)
    )
    assert (status, output) == (expected_status, expected)
    # dash says so or does not, depending on when it hears of the end.
    assert errors.replace(b"Terminated\n", b"") == expected_errors.replace(b"Terminated\n", b"")


def test_elements_of_a_list():
    line = parse("a | b && c; x=1 &\nf() { d; }; for i in 1; do e; done > out # no element")
    assert [(e.source, e.kind, e.background, e.last) for e in line.elements] == [
        ("a | b", "pipeline", False, False),
        ("c", "simple", False, True),
        ("x=1", "assignment", True, True),
        ("f() { d; }", "function", False, True),
        ("for i in 1; do e; done > out", "compound", False, True),
    ]


def test_the_whole_of_an_and_or_list_is_in_the_background():
    assert [(e.background, e.last) for e in parse("a && b & c").elements] == [
        (True, False),
        (True, True),
        (False, True),
    ]


def test_marks_of_both_grounds():
    assert rewrite(parse("a; b &"), "/m", 7) == (
        '{ a; } 7<"/m/element/0" 7<"/m/status/$?" 7<&-; 7<"/m/element/1" 7<"/m/status/$?" 7<&- b &'
    )


def test_offsets_are_bytes_and_no_byte_is_lost():
    text = os.fsdecode("echo 'ü\xff'".encode()[:-1] + b"\xff'; cat \xe9") + " && echo Ü"
    line = parse(text)
    raw = os.fsencode(text)
    assert [os.fsencode(e.source) for e in line.elements] == [raw[e.start : e.end] for e in line.elements]
    assert len(line.elements) == 3


@pytest.mark.parametrize(
    "text",
    [
        "echo 'open",
        "a ; ; b",
        "alias x=y; x",
        "set -v; a",
        "sleep 1 & jobs",
        "ulimit -n 4; a",
        "a & ; b",
        "echo a\\",
        "",
    ],
)
def test_what_cannot_be_marked_exactly_is_left_alone(text, marks):
    line = parse(text)
    assert not line.elements
    assert rewrite(line, marks, 7) == text


def test_more_commands_than_marks_are_one():
    assert parse("; ".join(["true"] * 257)).unparsed == "over 256 commands"
    assert len(parse("; ".join(["true"] * 256)).elements) == 256


def test_a_descriptor_that_the_line_does_not_use():
    assert free_descriptor("a 2>&1") == 7
    assert free_descriptor("exec 7>lock; a >& 6", {8}) == 5
    assert free_descriptor("a 3<x 4>y 5<z 6<&7 8>&9") is None


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_has_the_last_word(shell):
    assert accepted(shell, "echo a; { b; }")
    assert not accepted(shell, "echo a; { b")


def test_dash_reads_ansi_quotes_in_its_own_way(marks):
    if "/bin/dash" not in SHELLS:
        pytest.skip("needs dash")
    text = "echo $'a\\'; echo b #'"  # for bash one command, for dash two and a comment
    line, marked = instrument(text, marks, "/bin/dash")
    assert line.unparsed
    assert marked == text


def documented_lines(folder: Path) -> list[str]:
    """The lines that csvkit's documentation tells its readers to type."""
    lines = []
    for page in sorted(folder.rglob("*.rst")):
        for block in re.findall(
            r"(?m)^\.\. code-block:: (?:bash|console|none)\n\n((?:^[ \t]+.*\n|^\n)+)", page.read_text()
        ):
            joined = re.sub(r"\\\n\s*", "", block)
            lines += [line.strip().removeprefix("$ ") for line in joined.splitlines() if line.strip()]
    return lines


def test_documented_lines_parse_or_are_kept_whole(shared_testdata, marks):
    lines = documented_lines(shared_testdata / "shell-pipelines/csvkit/docs")
    assert len(lines) > 80
    for text in lines:
        line = parse(text)
        assert line.text == text
        if line.unparsed:
            assert rewrite(line, marks, 7) == text
        else:
            raw, end = os.fsencode(text), 0
            for element in line.elements:
                assert os.fsencode(element.source) == raw[element.start : element.end]
                assert element.start >= end
                end = element.end
            assert accepted("/bin/sh", rewrite(line, marks, 7)) or not accepted("/bin/sh", text)
