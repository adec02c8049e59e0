"""Every command and every Python example that the README and the docs show runs, and prints what they say.

A page is one session: its ```` ```console ```` blocks run in one shell, its ```` ```python ```` blocks as one file
after another in the same folder, in the order of the page. In what is expected, a line ``…`` stands for any lines,
and ``…`` in a line for anything; times, durations and uids need not be the same, nor the width of columns. A command
that must fail is followed by a line ``[2]``, its exit status. A block is left out behind ``<!-- not run: REASON -->``;
``<!-- first`` holds commands that readers need not see.
"""

import difflib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?P<not_run><!-- not run: [^>]+-->\s*)?^```(?P<kind>console|python)\n(?P<text>.*?)^```$"
    r"|^<!-- first\n(?P<first>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)
SEPARATOR = "\x1e"
VOLATILE = (
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?([+-]\d\d:\d\d)?", "<time>"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "<time>"),
    (r"\b\d+(\.\d+)? (ms|s|min)\b", "<duration>"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uid>"),
    (r"\b(clone|version|show) [0-9a-f]{6,}(-[0-9a-f]{4})?\b", "<uid>"),
    (r" \(inferred\)", ""),  # where the kernel does not let commands be supervised
    (r" +", " "),
    (r" $", ""),
)


@dataclass
class Step:
    """One command of a page, and what the page says that it prints."""

    line: int
    command: str
    expected: list[str] = field(default_factory=list)
    status: int = 0


def steps_of(block: str, line: int) -> Iterator[Step]:
    """The commands of a console block: ``$ `` begins one, ``> `` goes on with it."""
    step: Step | None = None
    for number, text in enumerate(block.splitlines(), line):
        if text.startswith("$ "):
            if step:
                yield step
            step = Step(number, text[2:])
        elif step is None:
            raise ValueError(f"line {number}: a console block begins with `$ `")
        elif text.startswith("> ") and not step.expected:
            step.command += "\n" + text[2:]
        elif re.fullmatch(r"\[\d+\]", text):
            step.status = int(text[1:-1])
        else:
            step.expected.append(text)
    if step:
        yield step


def steps_on(page: Path, folder: Path) -> list[Step]:
    """All that a page runs."""
    text = page.read_text(encoding="utf-8")
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        if block["not_run"]:
            continue
        line = text[: block.start()].count("\n") + 2
        if block["kind"] == "python":
            script = folder / f"example_{line}.py"
            script.write_text(block["text"], encoding="utf-8")
            found.append(Step(line, f"{sys.executable} {script}"))
        else:
            found += steps_of(block["text"] or block["first"], line)
    return found


def settled(line: str) -> str:
    """A line without what is different each time."""
    for pattern, replacement in VOLATILE:
        line = re.sub(pattern, replacement, line)
    return line


WAITING = re.compile(r"\bwaiting until \d+ ended commands? (is|are) ingested …$")
"""Said by any question on a busy machine, on standard error."""


def fits(command: str, expected: list[str], printed: list[str]) -> bool:
    """Whether output is what a page shows, with ``…`` as described above."""
    expected = [settled(line) for line in expected]
    printed = [settled(line) for line in printed if not WAITING.search(line)]
    if command.startswith("provdb log"):  # what happened within one moment has no order
        expected, printed = sorted(expected), sorted(printed)
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in expected
    ]
    return re.fullmatch("".join(lines), "".join(line + "\n" for line in printed)) is not None


def runs_something(page: Path) -> bool:
    return any(not block["not_run"] for block in BLOCK.finditer(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", [page for page in PAGES if runs_something(page)], ids=lambda page: page.name)
def test_page(page: Path, tmp_path: Path, make_provdb: Callable[..., Any]) -> None:
    place = tmp_path / "work"
    place.mkdir()
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    steps = steps_on(page, scripts)
    # One shell for the whole page, so that `cd` and variables last; pipes, so that no file of ours is seen as output.
    parts = [f"{{ {step.command}\n}} 2>&1 </dev/null\nprintf '{SEPARATOR}%d{SEPARATOR}' $?" for step in steps]
    (scripts / "page.sh").write_text("\n".join(parts) + "\n", encoding="utf-8")
    provdb = make_provdb(place, CHECKOUT=str(ROOT), COLUMNS="120")
    # Readers' own Python is not the one that runs provdb.
    system = Path("/usr/bin/python3")
    base = system if system.exists() else Path(sys.executable)
    subprocess.run([base, "-m", "venv", "--without-pip", scripts / "env"], check=True)
    provdb.environment["PATH"] = f"{scripts / 'env/bin'}:{provdb.environment['PATH']}"
    done = provdb.command(["bash", scripts / "page.sh"], stderr=subprocess.STDOUT, check=None, timeout=300)
    outputs = done.stdout.split(SEPARATOR)
    assert len(outputs) == 2 * len(steps) + 1, f"the page's shell ended early:\n{done.stdout}"
    for step, printed, status in zip(steps, outputs[::2], outputs[1::2], strict=False):
        where = f"{page.name}, line {step.line}: {step.command}"
        assert int(status) == step.status, f"{where}\n{printed}"
        if step.expected and not fits(step.command, step.expected, printed.splitlines()):
            shown, real = map(settled, step.expected), map(settled, printed.splitlines())
            difference = "\n".join(difflib.ndiff(list(shown), list(real)))
            pytest.fail(f"{where}\n{difference}", pytrace=False)


def test_blocks_that_are_not_run_say_why() -> None:
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if block["not_run"]:
                assert len(block["not_run"]) > len("<!-- not run:  -->") + 5, page.name
