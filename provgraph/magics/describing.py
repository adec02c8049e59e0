"""What can be said of a variable in little time: type, shape, a fingerprint, columns, an estimator's parameters.

No method of a class that the notebook defines is called.
"""

from __future__ import annotations

import sys

from provgraph.magics.fingerprints import COLUMNS, Fingerprint, TooLateError, bare, is_users, library_of, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LISTED = 50
"""Names of columns that are listed."""
TEXT = 5_000
"""Characters of a text among an estimator's parameters that are told; fewer are kept, without secrets."""
_LARGEST = float(1 << 53)


def describe(value: object, deadline: float) -> dict[str, Any]:
    """The properties of a variable's snapshot.

    Parameters:
        deadline: when to stop looking, by ``perf_counter``; there is no ``fingerprint`` then.
    """
    kind = type(value)
    found: dict[str, Any] = {"type": type_name(kind)}
    if kind in (bool, int, float) and isinstance(value, (bool, int, float)) and abs(value) <= _LARGEST:
        found["value"] = value
    shape = _shape(value)
    if shape is not None:
        found["shape"] = shape
    if library_of(kind) in ("pandas", "polars") and any(base.__name__ == "DataFrame" for base in kind.__mro__):
        found.update({} if is_users(kind) else _columns(value))
    elif is_estimator(value):
        found["class"] = f"{kind.__module__}.{kind.__qualname__}"
        found.update(_parameters(value))
    into = Fingerprint(deadline)
    try:
        into.value(value)
        found["fingerprint"] = into.digest.hexdigest()
    except TooLateError:
        into.sampled = True
    if into.sampled:
        found["sampled"] = True
    if into.opaque:
        found["opaque"] = True
    return {key: item for key, item in found.items() if item is not None}


def _shape(value: Any) -> list[int] | None:
    kind = type(value)
    if issubclass(kind, type):
        return None
    if is_users(kind):
        value, kind = bare(value, kind)
    if library_of(kind) and not is_users(kind):
        try:
            return [int(size) for size in value.shape]
        except Exception:  # many of their objects have none
            return None
    bases: tuple[Any, ...] = (list, tuple, dict, set, frozenset, str, bytes, bytearray)
    for base in bases:
        if issubclass(kind, base):
            return [base.__len__(value)]
    return None


def _columns(value: Any) -> dict[str, Any]:
    try:
        names = [str(name) for name in value.columns]
    except Exception:  # a series, an index
        return {}
    return {"columns": names if len(names) <= LISTED else [*names[:LISTED], f"… {len(names) - LISTED} more"]}


def is_estimator(value: object) -> bool:
    """Whether a value has scikit-learn's protocol of estimators."""
    kind = type(value)
    return callable(_of_type(kind, "get_params")) and callable(_of_type(kind, "fit"))


def _of_type(kind: type, name: str) -> Any:
    """What a class defines or inherits, without asking its metaclass."""
    for base in type.__getattribute__(kind, "__mro__"):
        found = type.__getattribute__(base, "__dict__").get(name)
        if found is not None:
            return found
    return None


def _parameters(estimator: Any) -> dict[str, Any]:
    """Parameters of an estimator, ``param_NAME``; what is neither number nor text is shown by its type."""
    kind = type(estimator)
    try:
        given = _kept_parameters(estimator, kind) if is_users(kind) else estimator.get_params(deep=False)
        return {f"param_{name}": _parameter(item) for name, item in list(given.items())[:COLUMNS] if item is not None}
    except Exception:  # a class of somebody else
        return {}


def _kept_parameters(estimator: object, kind: type) -> dict[str, Any]:
    """Those of a class of the user's, whose methods are not called: attributes named like what it is made from."""
    code = _of_type(kind, "__init__").__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    kept = object.__getattribute__(estimator, "__dict__")
    return {name: kept[name] for name in names if name in kept}


def _parameter(item: object) -> object:
    kind = type(item)
    if kind is str:
        return str(item)[:TEXT]
    if kind in (bool, int) or (kind is float and abs(item) <= sys.float_info.max):  # type: ignore[arg-type]
        return item
    return type_name(item) if isinstance(item, type) else type_name(kind)
