"""What the wrapping path must know of a project's configuration, put where it reads it without a TOML parser."""

import contextlib
import json
import os
import sys
from pathlib import Path

import provgraph
from provgraph.client.settings import read_settings, write_settings
from provgraph.client.starting import program_file
from provgraph.model.scrub import capture_patterns
from provgraph.stores import EmbeddedStore

type PathRule = tuple[str, str, tuple[str, ...]]
"""(class, kind, patterns), as ``client.path_class`` takes them."""


def path_rules(store: EmbeddedStore) -> list[PathRule]:
    """The configured path classes: ``*.ending``, a path with a slash (from the root, or absolute), or a plain name."""
    rules: list[PathRule] = []
    for kind_of, patterns in sorted(store.config.path_classes.items()):
        for pattern in patterns:
            if pattern.startswith("*."):
                rules.append((kind_of, "suffix", (pattern[1:],)))
            elif "/" in pattern:
                below = pattern if pattern.startswith("/") else f"{store.root}/{pattern}"
                rules.append((kind_of, "below", (below.rstrip("/"),)))
            else:
                rules.append((kind_of, "name", (pattern,)))
    return rules


def publish(store: EmbeddedStore) -> None:
    """Write the settings to ``.provdb/capture.json`` where they are not there yet."""
    wanted: dict[str, object] = {
        "scrub": capture_patterns(store.config.scrub_patterns, store.config.scrub_names),
        "preimage_bytes": store.config.preimage_limit_bytes,
        "unsupervised": list(store.config.unsupervised),
        "paths": [[kind_of, kind, list(patterns)] for kind_of, kind, patterns in path_rules(store)],
    }
    present = read_settings(store.root)
    if any(present.get(key) != value for key, value in wanted.items()):
        write_settings(store.root, **wanted)
    name_program()


def name_program() -> None:
    """Say where this program is, in the user's own data folder: clients in other Pythons start its ingester."""
    path = Path(program_file())
    wanted = json.dumps({"python": sys.executable, "package": str(Path(provgraph.__file__).parent.parent)})
    with contextlib.suppress(OSError):
        if path.exists() and path.read_text("utf-8") == wanted:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(wanted, "utf-8")
        fresh.chmod(0o600)
        fresh.replace(path)
