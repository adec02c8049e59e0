"""What a purge takes out of a store beside the journal: contents, logs, what lies in the spool, local tables."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provgraph.client.settings import read_settings, write_settings
from provgraph.stores import files
from provgraph.stores.connection import connect
from provgraph.stores.purge_bodies import Removal

if TYPE_CHECKING:
    from provgraph.stores.embedded import EmbeddedStore

_LOGS: Final = ("ingester.log", "ingester.log.1", "capture.log")
_SET_ASIDE: Final = (".failed", ".rejected")
_DATABASES: Final = (files.JOURNAL, files.GRAPH, files.LOCAL)
_BLOCK: Final = 1 << 20
_CHECKSUMS: Final = "privileged"
"""In ``capture.json``: short checksums of whole command lines. Who can guess a line could check the guess."""


def in_bytes(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    """The same regular expression over bytes: of text in UTF-8."""
    return re.compile(pattern.pattern.encode("utf-8", "surrogateescape"), pattern.flags & ~re.UNICODE)


def contents_matching(store: "EmbeddedStore", removal: Removal) -> set[str]:
    """The digests of the kept contents in which something that goes stands. Cost: one read of every content."""
    patterns = [in_bytes(pattern) for pattern, _ in removal.substitutions]
    found = set()
    for sha256, _ in store.objects.all():
        with store.objects.open(sha256) as file:
            data = file.read()
        if any(pattern.search(data) for pattern in patterns):
            found.add(sha256)
    return found


def clean_files(store: "EmbeddedStore", removal: Removal, *, contents: bool, dry_run: bool = False) -> list[str]:
    """Take what goes out of logs, of what was set aside in the spool, and out of the local tables.

    Parameters:
        contents: whether copies of old contents in the spool are looked into as well.
        dry_run: only find it.
    Returns:
        The files that changed or are gone, from the project's root.
    """
    changed: list[Path] = []
    for path in [*_texts(store.folder), *_copies(store.folder)]:
        with contextlib.suppress(FileNotFoundError):
            if _is_copy(path):
                if _copy_goes(path, removal, contents=contents):
                    changed.append(path)
                    if not dry_run:
                        path.unlink()
            elif _rewrite_lines(path, removal, dry_run=dry_run):
                changed.append(path)
    if _clean_local(store, removal, dry_run=dry_run):
        changed.append(store.local.path)
    if not dry_run and read_settings(store.root).get(_CHECKSUMS):
        write_settings(store.root, **{_CHECKSUMS: []})  # they are tried once more
    return [os.path.relpath(path, store.root) for path in changed]


def still_there(store: "EmbeddedStore", removal: Removal) -> list[str]:
    """The files of the store in which it still stands: what people wrote themselves, and what commands write now.

    Databases and contents are not looked into here. Paths are from the project's root.
    """
    patterns = [in_bytes(pattern) for pattern, _ in removal.substitutions]
    found = []
    for path in sorted(store.folder.rglob("*")):
        inside = path.relative_to(store.folder)
        if not path.is_file() or path.is_symlink() or inside.parts[0] in (files.OBJECTS, files.CACHE):
            continue
        if inside.name.removesuffix("-wal").removesuffix("-shm") in _DATABASES or _is_copy(path):
            continue
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            if any(pattern.search(data) for pattern in patterns):
                found.append(os.path.relpath(path, store.root))
    return found


def _texts(folder: Path) -> Iterator[Path]:
    """Files of lines that nobody writes while the ingester rests."""
    yield from (folder / name for name in _LOGS if (folder / name).is_file())
    yield from sorted(path for path in (folder / files.SPOOL).glob("*") if path.name.endswith(_SET_ASIDE))


def _copies(folder: Path) -> Iterator[Path]:
    """Copies of old contents whose command does not run any more."""
    running = {path.stem for path in (folder / files.SPOOL).glob("*.jsonl")}
    for path in sorted((folder / files.PREIMAGES).glob("*")):
        if path.name.rpartition(".")[0] not in running:
            yield path


def _is_copy(path: Path) -> bool:
    return path.parent.name == Path(files.PREIMAGES).name


def _copy_goes(path: Path, removal: Removal, *, contents: bool) -> bool:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha.update(block)
    if sha.hexdigest() in removal.digests:
        return True
    data = path.read_bytes() if contents else b""
    return any(in_bytes(pattern).search(data) for pattern, _ in removal.substitutions)


def _rewrite_lines(path: Path, removal: Removal, *, dry_run: bool) -> bool:
    """Rewrite a log, or records that were set aside. Whether it changed."""
    old = path.read_bytes().decode("utf-8", "surrogateescape")
    new = "".join(_line(line, removal) for line in old.splitlines(keepends=True))
    if new != old and not dry_run:
        files.write_atomically(path, new.encode("utf-8", "surrogateescape"))
    return new != old


def _line(line: str, removal: Removal) -> str:
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            old = json.loads(line)
            new = removal.anything(old)
            # As it was where nothing goes; what JSON's escapes hide from the text is found in the values.
            return line if new == old else json.dumps(new, separators=(",", ":")) + "\n"
    return removal.text(line)


def _clean_local(store: "EmbeddedStore", removal: Removal, *, dry_run: bool) -> bool:
    """Take paths that go out of the walk's table: the next walk sees what is still there. Whether there are any."""
    if not removal.substitutions or not store.local.path.exists():
        return False
    with contextlib.closing(connect(store.local.path, synchronous="NORMAL")) as db:
        db.execute("PRAGMA secure_delete=ON")
        rows = [
            (path,)
            for (path,) in db.execute("SELECT path FROM baseline")
            if removal.text(text := path.decode("utf-8", "surrogateescape")) != text
        ]
        if dry_run:
            return bool(rows)
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM baseline WHERE path = ?", rows)
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'server'").fetchone():  # errors of a team's server
            db.create_function("without", 1, lambda text: text and removal.text(text))
            db.execute("UPDATE server SET failure = without(failure)")
        db.execute("COMMIT")
        return bool(rows)
