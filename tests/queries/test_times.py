"""Times as users type them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from provgraph.errors import QuestionError
from provgraph.queries.times import looks_like_time, moment

EAST = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-20", "2026-11-20T00:00:00.000000+00:00"),
        ("2026-11-20 9:00", None),
        ("2026-11-20T09:00:30,5+02:00", "2026-11-20T07:00:30.500000+00:00"),
        ("2026-13-01", None),
        ("24:61", None),
        ("14", None),
        ("", None),
    ],
)
def test_a_moment_is_utc(text: str, found: str | None) -> None:
    if found is not None:
        assert moment(text, UTC) == found
        return
    with pytest.raises(QuestionError, match="is no time"):
        moment(text, UTC)


@pytest.mark.parametrize(
    ("text", "zone", "clock", "day_in"),
    [
        ("14:30", UTC, "14:30:00.000000", UTC),
        ("9:05", UTC, "09:05:00.000000", UTC),
        ("23:00:01.25", UTC, "23:00:01.250000", UTC),
        ("14:30Z", EAST, "14:30:00.000000", UTC),
        ("14:30", EAST, "11:30:00.000000", EAST),
        ("14:30 +03:00", UTC, "11:30:00.000000", EAST),
    ],
)
def test_a_time_alone_is_of_today(text: str, zone: timezone, clock: str, day_in: timezone) -> None:
    assert looks_like_time(text)
    days = [datetime.now(day_in).date()]
    found = moment(text, zone)
    days.append(datetime.now(day_in).date())  # midnight may pass in between
    assert found in {f"{day}T{clock}+00:00" for day in days}
