"""Loads the schemas and compiles them."""

import functools
import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, Final

from provgraph.errors import InputError

_DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"


class SchemaError(InputError):
    """A value does not have the shape that its schema wants. ``path`` says where."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


def names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    files = resources.files(__package__).iterdir()
    return tuple(sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json")))


@functools.cache
def _text(name: str) -> str:
    try:
        return resources.files(__package__).joinpath(f"{name}.json").read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"no schema `{name}`; there are {', '.join(names())}") from None


def schema(name: str) -> dict[str, Any]:
    """The schema with this name, a fresh dict.

    Raises:
        InputError: there is none.
    """
    document: dict[str, Any] = json.loads(_text(name))
    return document


def _draft_7(value: Any, definitions: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """The same schema in the words of draft 7, which is what fastjsonschema compiles.

    Tuples are the only difference among the keywords that the schemas here use: ``prefixItems`` + ``items`` were
    ``items`` + ``additionalItems``. References are replaced by what they name (but where one is within itself): the
    compiled check of a reference costs more than that of what most of them name.
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


def _compiled(document: dict[str, Any]) -> dict[str, Any]:
    definitions = document.get("$defs", {})
    found = {"$schema": _DRAFT_7, **_draft_7(document, definitions)}
    if '"$ref"' in json.dumps(found):
        found["$defs"] = {name: _draft_7(item, definitions, (name,)) for name, item in definitions.items()}
    return found


def explain(name: str, value: Any) -> str:
    """What is wrong with a document that somebody wrote by hand, and where. Cost: 0.1 s, for it loads jsonschema.

    Returns:
        One sentence; "" where the document fits.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema(name)).iter_errors(value))
    if error is None:
        return ""
    place = error.json_path.removeprefix("$").lstrip(".")
    return f"{place}: {error.message}" if place else error.message


@functools.cache
def validator(name: str) -> Callable[[Any], None]:
    """A function that checks a value against a schema. Cost: compiled once per process, then 20 µs a small event.

    Raises (the function):
        SchemaError: the value does not fit; the message says where and why.
    """
    import fastjsonschema

    compiled = fastjsonschema.compile(_compiled(schema(name)), use_default=False)

    def check(value: Any) -> None:
        try:
            compiled(value)
        except fastjsonschema.JsonSchemaValueException as error:
            place = tuple(part for part in error.path[1:])
            raise SchemaError(f"{name}: {error.message.removeprefix('data').lstrip('.')}", place) from error

    return check
