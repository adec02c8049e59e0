"""Loads the schemas and compiles them."""

import functools
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

from provgraph.errors import InputError


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
    from provgraph.schemas.compiling import RefusedError, compiled

    fits = compiled(name, _text(name))

    def check(value: Any) -> None:
        try:
            fits(value)
        except RefusedError as error:
            raise SchemaError(f"{name}: {error.message.removeprefix('data').lstrip('.')}", error.path[1:]) from error

    return check
