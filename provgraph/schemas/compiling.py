"""Compiles a schema into a check: by fastjsonschema once, then from byte code that lies beside that of the modules."""

import hashlib
import json
import marshal
import os
import re
import sys
from collections.abc import Callable, Mapping
from importlib.util import cache_from_source, find_spec
from types import CodeType, FunctionType
from typing import Any, Final

_DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"
_SMALL: Final = 500
"""Characters."""
_FORM: Final = 1
"""Of what is kept: another one where this module compiles differently."""
_RAISED: Final = ("JsonSchemaValueException", "JsonSchemaValuesException")
_IMPORT: Final = re.compile(r"^from fastjsonschema import .*$", re.MULTILINE)
_DEFINITION: Final = re.compile(r", definition=.*, rule='\w*'\)$", re.MULTILINE)
"""Of what is raised: nobody asks for it, and it is made anew for each alternative that does not fit."""
_SAME_LINE: Final = 0x80 | 13 << 3
"""In a table of lines (CPython, Objects/locations.md): a number of units; 0 follows, the change of the line."""
_UNITS: Final = 8
"""Of an entry, at most."""


class RefusedError(ValueError):
    """What a check raises, as fastjsonschema's own exception, which takes 20 ms to import."""

    def __init__(self, message: str, value: Any = None, name: str = "", **_: Any) -> None:
        super().__init__(message)
        self.message, self.name = message, name

    @property
    def path(self) -> tuple[str, ...]:
        """Where the value is that does not fit; the first part stands for the whole."""
        return tuple(part for part in re.split(r"[.\[\]]+", self.name) if part)


def compiled(name: str, text: str) -> Callable[[Any], Any]:
    """A function that raises a `RefusedError` where a value does not fit. Cost: 2 ms; 50 ms where nothing is kept yet.

    Parameters:
        name: of the schema. text: of its file.
    """
    namespace: dict[str, Any] = dict.fromkeys(_RAISED, RefusedError)
    exec(_code(name, text), namespace)  # noqa: S102 - generated from our own schema
    _on_one_line(namespace)
    check: Callable[[Any], Any] = namespace["validate"]
    return check


def _code(name: str, text: str) -> CodeType:
    """The byte code of a check; that of the same schema and the same compiler is kept, as Python keeps its own."""
    spec = find_spec("fastjsonschema")
    about = os.stat(spec.origin) if spec is not None and spec.origin else None
    compiler = (about.st_mtime_ns, about.st_size) if about is not None else ()
    key = hashlib.sha256(f"{_FORM} {compiler} {text}".encode()).hexdigest()[:16]
    kept = cache_from_source(f"{os.path.dirname(__file__)}/{name}-{key}.py")
    try:
        with open(kept, "rb") as file:
            found = marshal.load(file)  # noqa: S302 - as trustworthy as the byte code beside it
            if isinstance(found, CodeType):
                return found
    except (OSError, ValueError, EOFError, TypeError):
        pass  # none yet, or half of one
    import fastjsonschema

    source = fastjsonschema.compile_to_code(_in_draft_7(json.loads(text)), use_default=False)
    code = compile(_DEFINITION.sub(")", _IMPORT.sub("", source)), f"<{name}.json>", "exec", dont_inherit=True)
    if not sys.dont_write_bytecode:
        _keep(kept, marshal.dumps(code))
    return code


def _keep(path: str, data: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = f"{path}.{os.getpid()}"
    try:
        with open(fresh, "xb") as file:
            file.write(data)
        os.replace(fresh, path)
    except OSError:
        pass  # an installation that others own


def _draft_7(value: Any, definitions: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """The same schema in the words of draft 7, which is what fastjsonschema compiles.

    Tuples are the only difference among the keywords that the schemas here use: ``prefixItems`` + ``items`` were
    ``items`` + ``additionalItems``. References to what ``definitions`` has are replaced by that (but where one is
    within itself).
    """
    if isinstance(value, list):
        return [_draft_7(item, definitions, within) for item in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions and name not in within:
        rest = {key: item for key, item in value.items() if key != "$ref"}
        return _draft_7(definitions[name] | rest, definitions, (*within, name))
    left = ("$schema", "$id", "$defs", "prefixItems", "items")
    found = {key: _draft_7(item, definitions, within) for key, item in value.items() if key not in left}
    if isinstance(value.get("prefixItems"), list):
        found["items"] = _draft_7(value["prefixItems"], definitions, within)
        if "items" in value:
            found["additionalItems"] = _draft_7(value["items"], definitions, within)
    elif "items" in value:
        found["items"] = _draft_7(value["items"], definitions, within)
    return found


def _in_draft_7(document: dict[str, Any]) -> dict[str, Any]:
    """What is compiled: with small definitions in the place of the references to them.

    A check that goes through a reference costs more than that of what most of them name; but one of many alternatives
    is found by exceptions, and in a function of some thousand lines each of them is slow.
    """
    definitions = document.get("$defs", {})
    small = {name: item for name, item in definitions.items() if len(json.dumps(item)) <= _SMALL}
    found = {"$schema": _DRAFT_7, **_draft_7(document, small)}
    if '"$ref"' in json.dumps(found):
        found["$defs"] = {name: _draft_7(item, small, (name,)) for name, item in definitions.items()}
    return found


def _on_one_line(namespace: Mapping[str, Any]) -> None:
    """Have functions stand on one line each: theirs are those of no file.

    With a thousand lines, one call takes 40 ms where a tracer looks on (a debugger, coverage): Python 3.12 searches the
    table of lines from its beginning for each.
    """
    for part in namespace.values():
        if isinstance(part, FunctionType):
            whole, rest = divmod(len(part.__code__.co_code) // 2, _UNITS)
            table = bytes([_SAME_LINE | _UNITS - 1, 0]) * whole + (bytes([_SAME_LINE | rest - 1, 0]) if rest else b"")
            part.__code__ = part.__code__.replace(co_linetable=table)
