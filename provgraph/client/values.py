"""What users say, as records hold it: plain JSON values, numbers, names, errors."""

from __future__ import annotations

import math
import operator

from provgraph.client.scrub_words import SCRUBBED, scrubbed_text, scrubbed_words, suspicious

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_TEXT_LENGTH = 10_000
SLACK = 4_000
"""So much more of a text is looked at than is kept; a private key in PEM is shorter."""
_DEPTH = 8
_INTERRUPTED = 130  # as a shell says of a program that Ctrl-C ended
_NAMES_LENGTH = 200


def name_of(name: object) -> str:
    """A name of a parameter, a metric or a tag.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty or far too long.
    """
    if not isinstance(name, str):
        raise TypeError(f"a name is a text, not {type(name).__name__}: {name!r}")
    if not name.strip() or len(name) > _NAMES_LENGTH:
        raise ValueError(f"a name has 1 to {_NAMES_LENGTH} characters, not {name[:40]!r}")
    return name


def as_metric(value: object) -> float | int | str:
    """The value of a metric: a number; "NaN" and the infinities as texts, since JSON lacks them.

    Raises:
        TypeError: it is no number.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError(f"a metric is a number, not the text {value!r}; use log_param or tag")
    if type(value) is int:
        return value if abs(value) < 1 << 53 else float(value)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise TypeError(f"a metric is a number, not {type(value).__name__}") from error
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def as_step(step: object) -> int | None:
    """A step: a whole number, or None for the next one.

    Raises:
        TypeError: it is neither.
    """
    if step is None:
        return None
    try:
        found = operator.index(step)  # type: ignore[arg-type]
    except TypeError:
        if isinstance(step, float) and step.is_integer():
            return int(step)
        raise TypeError(f"a step is a whole number, not {type(step).__name__}: {step!r}") from None
    if abs(found) >= 1 << 63:
        raise ValueError(f"a step has 64 bits, not {step!r}")
    return found


def plain_mapping(what: str, values: Mapping[str, object]) -> dict[str, object]:
    """Names and plain values; texts a little longer than they are kept, since secrets are still in them.

    Raises:
        TypeError: it is no mapping, or a name no text.
    """
    if not hasattr(values, "items"):
        raise TypeError(f"{what} are a mapping from names to values, not {type(values).__name__}")
    return {name_of(key): plain(value) for key, value in values.items()}


def scrubbed_mapping(values: Mapping[str, object], patterns: Sequence[str]) -> dict[str, object]:
    """Plain values without secrets, however deep they lie; a name counts for all that is below it."""
    return {key: _scrubbed(value, (key,), patterns) for key, value in values.items()}


def _scrubbed(value: object, names: tuple[str, ...], patterns: Sequence[str]) -> object:
    if isinstance(value, str):
        return shortened(value, _TEXT_LENGTH, lambda text: _scrubbed_texts([text], names, patterns)[0])
    if isinstance(value, dict):
        inner: dict[str, object] = {}
        for key, item in value.items():
            shown = shortened(key, _TEXT_LENGTH, lambda text: scrubbed_text(text, patterns))
            inner[shown] = _scrubbed(item, (*names, key), patterns)
        return inner
    if not isinstance(value, list):
        return value
    if all(isinstance(item, str) for item in value):  # they may be the words of a command
        words = scrubbed_words(_scrubbed_texts(value, names, patterns), patterns)
        return [shortened(word, _TEXT_LENGTH, str) for word in words]
    return [_scrubbed(item, names, patterns) for item in value]


def _scrubbed_texts(texts: Sequence[str], names: tuple[str, ...], patterns: Sequence[str]) -> list[str]:
    """Texts behind names, the outermost first."""
    found = list(texts)
    for name in names:
        if name is names[-1] or patterns or suspicious((name,)):
            shown = scrubbed_words([f"{name}={text}" for text in found], patterns)
            found = [text[len(name) + 1 :] if text.startswith(f"{name}=") else SCRUBBED for text in shown]
    return found


def shortened(text: str, length: int, scrub: Callable[[str], str]) -> str:
    """The beginning of a text without secrets: first they are taken out, since one that is cut looks like none."""
    held = text[: length + SLACK]
    done = scrub(held)
    if len(text) < length + SLACK:
        return done if len(done) <= length else done[:length] + "…"
    return without_end(done, len(held))[:length] + "…"


def without_end(done: str, held: int) -> str:
    """What is left of so many characters of a longer text: without its last word, where that could be seen."""
    if len(done) >= held:
        return done
    return done[: -len(done.rsplit(maxsplit=1)[-1])] if done and not done[-1].isspace() else done


def plain(value: object, depth: int = 0) -> object:
    """A JSON value for any value: numbers of other libraries as numbers, what is none of JSON's as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return _bounded(value)
    if depth < _DEPTH:
        if isinstance(value, dict):
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item, depth + 1) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted((plain(item, depth + 1) for item in value), key=str)
    item = getattr(value, "item", None)  # a number of NumPy's or the like
    if callable(item) and getattr(value, "shape", None) == ():
        try:
            found = item()
            if isinstance(found, (bool, int, float, str)):
                return _bounded(found)
        except Exception:
            pass
    try:
        return _bounded(str(value))
    except Exception:
        return f"<{type(value).__name__}>"


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return str(value)[: _TEXT_LENGTH + SLACK]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if abs(value) < 1 << 63 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return value


def status_of(error: object) -> int:
    """The exit status that an exception means."""
    if error is None or isinstance(error, GeneratorExit):
        return 0
    if isinstance(error, SystemExit):
        code = error.code
        return 0 if code is None else code & 0xFF if isinstance(code, int) else 1
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def shown_error(error: BaseException | Mapping[str, object], patterns: Sequence[str] = ()) -> dict[str, str] | None:
    """Type and message of an error, without secrets; None where it is none: an exit with a status."""
    if isinstance(error, GeneratorExit) or (isinstance(error, SystemExit) and not isinstance(error.code, str)):
        return None
    if isinstance(error, BaseException):
        kind = type(error).__qualname__
        try:
            message = str(error)
        except Exception:
            message = ""
    else:
        kind, message = str(error.get("type", "")), str(error.get("message", ""))
    return {"type": kind, "message": shortened(message, _TEXT_LENGTH, lambda text: scrubbed_text(text, patterns))}
