"""Looking for a secret in everything that a store has on the disk: as it lies there, and unpacked."""

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

from provgraph.model import members
from provgraph.stores import open_store
from provgraph.stores.encoding import unpack


def holding(root: Path, *needles: str) -> list[str]:
    """Where one of the texts stands, in either case: files, events, contents."""
    wanted = [needle.lower().encode() for needle in needles]
    return sorted({name for name, data in _everything(root) if any(one in data.lower() for one in wanted)})


def _everything(root: Path) -> Iterator[tuple[str, bytes]]:
    store = root / ".provdb"
    for folder, _, names in os.walk(store):
        for name in names:
            path = Path(folder, name)
            inside = str(path.relative_to(store))
            yield f"name of {inside}", inside.encode()
            if path.is_fifo():
                continue
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # a log whose last user has just left; its rows are looked at below
                continue
            yield inside, data
            if inside.startswith("objects/"):
                yield f"content {inside}", zlib.decompress(data[:-1]) if data[-1:] == b"\x01" else data
    yield from _events(root)
    for name in ("graph.db", "local.db", "journal.db"):
        yield f"rows of {name}", _rows(store / name)


def _events(root: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(root / ".provdb/journal.db") as db:
        for seq, body in db.execute("SELECT seq, body FROM event").fetchall():
            parsed = unpack(body)
            texts = [json.dumps(parsed, ensure_ascii=False)]
            for row in parsed.get("facts", {}).get("members", ()):
                texts += [f"{path} {sha256}" for path, sha256, _ in members.decode(row["chunk"])]
            yield f"event {seq}", "\n".join(texts).encode("utf-8", "surrogateescape")


def _rows(path: Path) -> bytes:
    found = []
    with sqlite3.connect(path) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"').fetchall():
                found.append(" ".join(bytes.hex(value) if isinstance(value, bytes) else str(value) for value in row))
                found += [value.decode("utf-8", "replace") for value in row if isinstance(value, bytes)]
    return "\n".join(found).encode("utf-8", "replace")


def envelopes(root: Path) -> list[tuple[str, str, int, str, str]]:
    """What of each event a purge must not touch."""
    with open_store(str(root), write=False) as store:
        return [(event.uid, event.origin, event.origin_seq, event.kind, event.time) for event in store.events()]
