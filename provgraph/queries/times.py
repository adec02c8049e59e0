"""Times as users type them. One without a zone is local; all answers are ISO 8601 in UTC, as the graph has them."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from provgraph.errors import QuestionError

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?", re.IGNORECASE)
_TODAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?", re.IGNORECASE)


def check_text(text: object) -> None:
    """Refuse what is no text, a datetime as a rule."""
    if not isinstance(text, str):
        raise QuestionError(f"{text!r} is no text; write a time like '2026-11-20T14:30', or give time.isoformat()")


def looks_like_time(text: str) -> bool:
    """Whether ``text`` has the shape of a date, a date and time, or a time of today."""
    return bool(_DATE.fullmatch(text) or _TIME.fullmatch(text) or _TODAY.fullmatch(text))


def moment(text: str, zone: tzinfo | None = None, *, end_of_day: bool = False) -> str:
    """A time as a user typed it, as ISO 8601 in UTC with microseconds, which sorts as text.

    Parameters:
        text: ``2026-11-20``, ``2026-11-20T12:00``, with seconds, a fraction, ``Z`` or an offset; ``12:00`` is today.
        zone: of a time that names none; the machine's own by default.
        end_of_day: a date alone means its last microsecond, not its first.

    Raises:
        QuestionError: it is no time.
    """
    check_text(text)
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            found = datetime.combine(day + timedelta(days=1) if end_of_day else day, time())
            found = _placed(found, zone)
            if end_of_day:
                found -= timedelta(microseconds=1)
        elif _TIME.fullmatch(text):
            found = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T", 1).replace(" ", "").upper())
            found = found if found.tzinfo else _placed(found, zone)
        elif _TODAY.fullmatch(text):
            found = _today(text, zone)
        else:
            raise ValueError
        return found.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        how = "write it like 2026-11-20, 2026-11-20T14:30 or 14:30 for today (local, or with a zone)"
        raise QuestionError(f"{text!r} is no time; {how}") from None


def _today(text: str, zone: tzinfo | None) -> datetime:
    """A time of the day it is now, in its own zone where it names one."""
    digits = text.replace(",", ".").replace(" ", "").upper()
    clock = time.fromisoformat(digits if digits[2] == ":" else f"0{digits}")
    found = datetime.combine(datetime.now(clock.tzinfo or zone).date(), clock)
    return found if found.tzinfo else _placed(found, zone)


def _placed(found: datetime, zone: tzinfo | None) -> datetime:
    return found.replace(tzinfo=zone) if zone is not None else found.astimezone()


def in_order(recorded: str) -> str:
    """A recorded ISO 8601 time as text that compares with ``moment``'s; unreadable ones stay as they are."""
    try:
        found = datetime.fromisoformat(recorded)
    except ValueError:
        return recorded
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
