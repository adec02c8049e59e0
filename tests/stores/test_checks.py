"""doctor finds what is wrong and names it."""

import os
from collections.abc import Callable

from provgraph.stores import EmbeddedStore
from provgraph.stores.checks import Finding, check_journal, check_store


def errors(store: EmbeddedStore) -> list[Finding]:
    return [finding for finding in check_store(store) if finding.severity != "note"]


def test_a_sound_store(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    command("one", writes=("a", "b"))
    assert errors(store) == []


def test_a_damaged_object_is_named(store: EmbeddedStore) -> None:
    sha256 = store.objects.put_bytes(os.urandom(100)).sha256
    assert sha256 is not None
    path = store.objects.path_of(sha256)
    path.chmod(0o600)
    path.write_bytes(b"x" * 100 + b"\0")
    (found,) = errors(store)
    assert (found.check, found.subject) == ("objects", str(path))


def test_a_damaged_event_is_named(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    for number in range(6):
        command(f"c{number}")
    db = store.journal.connection
    db.execute("DROP TRIGGER event_never_changes")
    db.execute("UPDATE event SET body = x'0100' WHERE seq = 5")
    found = errors(store)
    assert [finding.subject for finding in found] == ["event 5"]


def test_a_missing_event_is_named(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    for number in range(6):
        command(f"c{number}")
    db = store.journal.connection
    db.execute("DROP TRIGGER event_never_goes")
    db.execute("DELETE FROM event WHERE seq = 5")
    assert any("5 to 5 are missing" in finding.message for finding in errors(store))


def test_kinds_of_a_newer_program_are_named(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    command("one")
    db = store.journal.connection
    db.execute("DROP TRIGGER event_never_changes")
    db.execute("UPDATE event SET kind = 'levitation.seen' WHERE seq = (SELECT max(seq) FROM event)")
    (found,) = check_journal(store)
    assert found.severity == "note"
    assert found.message.endswith("does not know: levitation.seen (1)")


def test_a_projection_that_lies(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    command("one", writes=("a",))
    store.graph.execute("""UPDATE vertex SET properties = '{"name":"lie"}' WHERE id = 1""")
    (found,) = errors(store)
    assert (found.check, found.remedy) == ("projection", "provdb doctor --rebuild")
    store.rebuild()
    assert errors(store) == []


def test_a_cycle_and_a_failure_of_capture(store: EmbeddedStore, command: Callable[..., dict[str, str]]) -> None:
    one = command("one", writes=("a",))
    with store.journal.batch() as batch:
        batch.event("activity.progressed", "2026-11-20T12:00:00+00:00").edge("used", one[""], one["a"])
    (store.folder / "ingester.log").write_text("it failed\n")
    assert [finding.check for finding in errors(store)] == ["projection", "capture"]
    assert "each other's ancestors" in errors(store)[0].message
