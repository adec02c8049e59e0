"""Times for people: local, relative or UTC. The graph's own are ISO 8601 in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

Style = Literal["local", "relative", "utc"]


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are shown: ``now`` (aware) and ``zone`` come from outside; zone None is the machine's own."""

    now: datetime
    style: Style = "local"
    zone: tzinfo | None = None

    def show(self, recorded: object) -> str:
        """A recorded time with its seconds: ``2026-11-21 12:00:03``, ``3 minutes ago``, ``2026-11-21 11:00:03Z``."""
        found = parsed(recorded)
        if found is None:
            return "" if recorded is None else str(recorded)
        if self.style == "relative":
            return ago(found, self.now)
        if self.style == "utc":
            return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return found.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def short(self, recorded: object) -> str:
        """The same in little room: the time alone where the day is today, no seconds."""
        found = parsed(recorded)
        if found is None or self.style == "relative":
            return self.show(recorded)
        zone = UTC if self.style == "utc" else self.zone
        there, today = found.astimezone(zone), self.now.astimezone(zone)
        suffix = "Z" if self.style == "utc" else ""
        return there.strftime("%H:%M" if there.date() == today.date() else "%Y-%m-%d %H:%M") + suffix


def parsed(recorded: object) -> datetime | None:
    """A recorded time as an aware datetime, None where it is none."""
    if not isinstance(recorded, str):
        return None
    try:
        found = datetime.fromisoformat(recorded)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits: ``just now``, ``3 minutes ago``, ``in 2 hours``."""
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    for unit, length in (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if size >= length:
            count = int(size // length)
            text = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


_ENDLESS = 1e15


def duration(seconds: object) -> str:
    """A duration: ``0.03 s``, ``1.92 s``, ``75 s`` as ``1 min 15 s``, ``2 h 05 min``."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return ""
    if not abs(seconds) < _ENDLESS:  # nor NaN
        return f"{seconds} s"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
