"""Write the parts of docs/ that code decides: help texts, tables of words, patterns, kinds, schemas.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->`` in a page. A test fails where one is
not current; ``make docs-help`` writes them anew. With ``--check``, nothing is written and the exit status tells.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import click

from provgraph.cli.words import AVAILABLE, LATER
from provgraph.client import path_class, scrub
from provgraph.events.envelope import KINDS
from provgraph.model.vocabulary import LABELS, PROPERTIES, RELATIONS
from provgraph.queries.cypher_examples import EXAMPLES
from provgraph.stores.config import TEMPLATE

DOCS = Path(__file__).resolve().parents[1]
SCHEMAS = DOCS.parent / "provgraph" / "schemas"
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- end of \2 -->)", re.DOTALL)


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Text as inline code, also where it holds a back-quote."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def words(items: Iterable[str]) -> str:
    """Sorted words as inline code."""
    return " ".join(code(item) for item in sorted(items))


def commands() -> str:
    """What ``provdb`` and each of its commands print with ``--help``."""
    environment = {**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    parts = []
    for words in ([], *(words for name in sorted(AVAILABLE) for words in with_parts(name))):
        done = subprocess.run(
            [sys.executable, "-m", "provgraph", *words, "--help"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout.rstrip().replace("python -m provgraph", "provdb")
        title = "provdb " + " ".join(words)
        parts.append(f"### {title.strip()}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def with_parts(name: str) -> list[list[str]]:
    """A command, and the commands that it consists of."""
    found = import_module(f"provgraph.cli.{name.replace('-', '_')}").command
    parts = found.commands if isinstance(found, click.Group) else ()
    return [[name], *([name, part] for part in parts)]


def reserved() -> str:
    """The words that are no command to run."""
    here = table(("word", "what it does"), ((code(word), text) for word, text in sorted(AVAILABLE.items())))
    later = table(("word", "kept for"), ((code(word), text) for word, text in sorted(LATER.items())))
    return f"{here}\n\nKept for later versions, refused until then:\n\n{later}\n"


def scrub_patterns() -> str:
    """What is taken out of command lines and environments."""
    patterns = table(
        ("name", "finds", "pattern"),
        ((code(pattern.name), pattern.catches, code(pattern.regex)) for pattern in scrub.PATTERNS),
    )
    names = table(
        ("a name of an option, variable, header or key …", "words"),
        (
            ("with one of these as a part: its value is a secret", words(scrub.TELLING)),
            ("with one of these as its last part: its value is a secret", words(scrub.TELLING_LAST)),
            ("ending in `key` behind one of these: its value is a secret", words(scrub.TELLING_KEYS)),
            ("with one of these as its last part: its value is one where it looks random", words(scrub.MAYBE_LAST)),
            ("with one of these as its last part: none", words(scrub.HARMLESS_LAST)),
            ("with one of these as its first part: none", words(scrub.HARMLESS_FIRST)),
            ("`…_token` behind one of these: none", words(scrub.LANGUAGE_TOKENS)),
        ),
    )
    options = table(
        ("utility", "options whose value is a secret, or holds one behind a colon or per cent sign"),
        ((code(utility), words(found)) for utility, found in sorted(scrub.SHORT_OPTIONS.items())),
    )
    return f"{patterns}\n\n{names}\n\n{options}\n"


def path_classes() -> str:
    """The table of path classes."""
    rows = ((kind, how, ", ".join(code(item) for item in items)) for kind, how, items in path_class.RULES)
    return table(("class", "matched by", "patterns"), rows) + "\n"


def configuration() -> str:
    """The file that ``init`` writes."""
    return f"```toml\n{TEMPLATE.rstrip()}\n```\n"


def questions() -> str:
    """The questions of ``provdb cypher --examples``."""
    return "\n".join(
        f"**{number}. {example.question}**\n\n```cypher\n{example.query.strip()}\n```\n"
        for number, example in enumerate(EXAMPLES, 1)
    )


def event_kinds() -> str:
    """Every kind of event."""
    rows = ((code(kind), str(version), meaning) for kind, (version, meaning) in KINDS.items())
    return table(("kind", "version", "meaning"), rows) + "\n"


def schemas() -> str:
    """Every JSON Schema that ships with the package."""
    rows = []
    for path in sorted(SCHEMAS.rglob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        text = schema.get("description") or schema.get("title") or ""
        rows.append((code(path.relative_to(SCHEMAS).as_posix()), " ".join(text.split())))
    return table(("file", "what it describes"), rows) + "\n"


def vocabulary() -> str:
    """Labels, relations and base properties."""
    labels = table(("label", "is a"), ((code(name), kind.value) for name, kind in LABELS.items()))
    relations = table(
        ("relation", "from", "to", "followed by lineage"),
        (
            (
                code(r.name),
                ", ".join(sorted(kind.value for kind in r.domain)),
                ", ".join(sorted(kind.value for kind in r.range)),
                r.walk.value,
            )
            for r in RELATIONS.values()
        ),
    )
    properties = table(
        ("property", "on", "type", "meaning"),
        ((code(p.key), ", ".join(p.on), p.type, p.meaning) for p in PROPERTIES.values()),
    )
    return f"{labels}\n\n{relations}\n\n{properties}\n"


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "configuration": configuration,
    "event-kinds": event_kinds,
    "path-classes": path_classes,
    "questions": questions,
    "reserved-words": reserved,
    "schemas": schemas,
    "scrub-patterns": scrub_patterns,
    "vocabulary": vocabulary,
}


def current(text: str) -> str:
    """A page with its generated parts as they should be now."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]().strip()}\n\n{found[4]}", text)


def main() -> None:
    """Write all pages anew, or with ``--check`` only say which are not current."""
    stale = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        wanted = current(text)
        if wanted == text:
            continue
        stale.append(page.name)
        if "--check" not in sys.argv[1:]:
            page.write_text(wanted, encoding="utf-8")
    if stale:
        print("written:" if "--check" not in sys.argv[1:] else "not current (make docs-help):", *stale)
    if "--check" in sys.argv[1:]:
        sys.exit(bool(stale))


if __name__ == "__main__":
    main()
