"""Changes of ``.provdb/config.toml`` that leave everything else in it, comments too, as somebody wrote it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from provgraph.errors import InputError
from provgraph.stores.files import write_atomically

_HEADER: Final = re.compile(r"""^\s*\[\s*remotes\s*\.\s*(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\]\s*(?:#.*)?$""")
_ANY_HEADER: Final = re.compile(r"^\s*\[")


def set_remote(path: Path, name: str, values: Mapping[str, str | bool] | None) -> None:
    """Make ``[remotes.NAME]`` what ``values`` says, or remove it where they are None.

    Raises:
        InputError: the file is no TOML, or says it in a way that only a person can change.
    """
    try:
        text = path.read_text("utf-8")
        before = tomllib.loads(text)
    except FileNotFoundError:
        text, before = "", {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    new = _without(text, name)
    if values is not None:
        block = "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
        new = f"{new.rstrip()}\n\n[remotes.{name}]\n{block}".lstrip("\n")
    if _parsed(new) != _expected(before, name, values):
        raise InputError(f"{path} cannot be changed by a program; change `remotes.{name}` in it by hand")
    if new != text:
        write_atomically(path, new.encode())


def toml(value: str | bool) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _without(text: str, name: str) -> str:
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        found = _HEADER.match(line)
        if found and name in found.groups():
            inside = True
            continue
        if _ANY_HEADER.match(line):
            inside = False
        if not inside or line.lstrip().startswith("#"):
            kept.append(line)
    return "".join(kept)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return _full(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return None


def _expected(before: dict[str, Any], name: str, values: Mapping[str, str | bool] | None) -> dict[str, Any]:
    remotes = {key: value for key, value in before.get("remotes", {}).items() if key != name}
    return _full({**before, "remotes": {**remotes, name: dict(values)} if values is not None else remotes})


def _full(document: dict[str, Any]) -> dict[str, Any]:
    """Without an empty table of remotes, which says the same as none."""
    return {key: value for key, value in document.items() if key != "remotes" or value}
