"""JSON, YAML and TOML documents, bounded: a hostile one is an error that says what is wrong, soon."""

import datetime as dt
import functools
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any, Final

DOCUMENT_BYTES: Final = 8 * 1024 * 1024
"""Larger ones are data, not configuration, and are not parsed."""
_YAML_BYTES: Final = 1024 * 1024
"""YAML takes seconds for each MiB."""
_NODES: Final = 20_000
_DEPTH: Final = 100
_INTEGER_BITS: Final = 63


class DocumentError(ValueError):
    """A document that is none of its kind, or too large."""


def parse(form: str, data: bytes) -> Any:
    """The value of a document.

    Parameters:
        form: json, yaml or toml.

    Raises:
        DocumentError: it is none, or too large or too deep.
    """
    limit = _YAML_BYTES if form == "yaml" else DOCUMENT_BYTES
    if len(data) > limit:
        raise DocumentError(f"it is larger than {limit >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
        return _PARSERS[form](text)
    except UnicodeDecodeError as error:
        raise DocumentError(f"it is no UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise DocumentError(f"it is no {form.upper()}: {_first_line(error)}") from None
    except Exception as error:
        if form != "yaml":
            raise
        raise DocumentError(f"it is no YAML: {_first_line(error)}") from None


def property_value(value: Any) -> Any:
    """A value of a document as a property: what JSON cannot say becomes text.

    Raises:
        DocumentError: it is of another kind, or too large (YAML's references make much out of little).
    """
    left = [_NODES]
    return _converted(value, left, 0)


def _converted(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEPTH:
        raise DocumentError(f"it holds more than {_NODES:,} values, or is nested too deeply")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _INTEGER_BITS else str(value) if value.bit_length() < 10_000 else "large"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _converted(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_converted(item, left, depth + 1) for item in value]
    raise DocumentError(f"it is a {type(value).__name__}, which is no property")


def _first_line(error: BaseException) -> str:
    lines: Iterable[str] = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if line)[:200] or type(error).__name__


@functools.cache
def _yaml_loader() -> Any:
    """PyYAML's safe loader, that reads 1e-4 as the number that YAML 1.2 and everybody's configuration mean by it."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Safe: makes plain values only."""

    number = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)[eE][-+]?[0-9]+\Z")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    return Loader


def _yaml(text: str) -> Any:
    import yaml

    _check_depth(text)
    documents = list(yaml.load_all(text, Loader=_yaml_loader()))
    return documents[0] if len(documents) == 1 else documents


def _check_depth(text: str) -> None:
    """Deep nesting overflows the stack of libyaml's composer, and Python with it; its parser minds nothing."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_yaml_loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                raise RecursionError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {"json": json.loads, "yaml": _yaml, "toml": tomllib.loads}
