"""Rule 24: a file that came from another clone, by whatever way, is joined to what was generated there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from two_clones import find_file, notice_change, pull, run_command, sha256, two_clones

from provgraph.graph.naming import display_name
from provgraph.ingest.transfers import Arrival, transfers
from provgraph.session.transfers import notice_transfers
from provgraph.stores import EmbeddedStore, init_project

Clones = tuple[EmbeddedStore, EmbeddedStore]


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clones]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with two_clones(tmp_path) as found:
        yield found


def at(minute: int) -> str:
    return f"2026-11-20T12:{minute:02}:00+00:00"


def sources_of(store: EmbeddedStore, uid: str) -> list[str]:
    """What a transfer brought a snapshot from, and what it replaced."""
    for edge in store.reader.edges_of(uid):
        if edge.type == "wasGeneratedBy" and edge.source == uid:
            activity = store.reader.vertex(edge.target)
            assert activity is not None
            assert "Unseen" in activity.labels and activity.properties["capture"] == "none"
            edges = store.reader.edges_of(activity.uid)
            assert not [e for e in edges if e.type == "wasAssociatedWith"]
            return [e.target for e in edges if e.type == "used"]
    return []


def test_a_file_is_joined_to_where_it_was_made(clones: Clones) -> None:
    a, b = clones
    made = run_command(a, "train", writes=("model",), at=at(1), content="weights")["model"]
    here = find_file(b, "model", at(2), "weights")
    report = run_command(b, "test", reads=(here,), writes=("report",), at=at(3), person="b")["report"]
    assert notice_transfers(b) == 0
    pull(b, a)
    assert notice_transfers(b) == 1
    assert notice_transfers(b) == 0
    assert sources_of(b, here) == [made]
    assert made in b.reader.ancestors([report])
    (event,) = [event for event in b.events() if event.kind == "transfer.noticed"]
    assert event.origin == b.origin
    pull(a, b)
    assert notice_transfers(a) == 0
    assert made in a.reader.ancestors([report])
    assert {display_name(v) for v in a.reader.ancestors([report])} >= {f"{b.origin[-6:]}:transfer", "model@1"}
    assert not b.graph.execute("SELECT * FROM violation").fetchall()


def test_an_unseen_change_turns_out_to_be_a_transfer(clones: Clones) -> None:
    """`git pull` over a file that was there: nobody saw it, and the change has one activity, not two."""
    a, b = clones
    made = run_command(a, "train", writes=("model",), at=at(2), content="weights")["model"]
    old = run_command(b, "make", writes=("model",), at=at(1), content="old", person="b")["model"]
    here = notice_change(b, "model", at(3), "weights")
    new = notice_change(b, "fresh", at(3), "else")
    pull(b, a)
    assert notice_transfers(b) == 1
    assert notice_transfers(b) == 0
    assert sorted(sources_of(b, here)) == sorted([made, old])
    assert sources_of(b, new) == []
    (generator,) = [e.target for e in b.reader.edges_of(here) if e.type == "wasGeneratedBy"]
    assert display_name(b.reader.vertices([generator])[0]) == "transfer"
    known = b.knowledge.known("model")
    assert known is not None and known.generator == generator


def test_what_nobody_saw_there_explains_nothing_here(clones: Clones) -> None:
    a, b = clones
    notice_change(a, "notes", at(1), "text")
    notice_change(b, "notes", at(2), "text")
    find_file(b, "notes", at(3), "text")
    pull(b, a)
    assert notice_transfers(b) == 0


@pytest.mark.parametrize(
    "reason", ["other bytes", "another path", "empty", "made later", "generated here", "not there"]
)
def test_what_is_no_transfer(clones: Clones, reason: str) -> None:
    a, b = clones
    run_command(a, "train", writes=("model",), at=at(5 if reason == "made later" else 1), content="weights")
    content = "other" if reason == "other bytes" else "weights"
    path = "copy" if reason == "another path" else "model"
    if reason == "generated here":
        run_command(b, "make", writes=(path,), at=at(2), content=content, person="b")
    else:
        find_file(b, path, at(2), content, size=0 if reason == "empty" else 3)
    if reason != "not there":
        pull(b, a)
    assert notice_transfers(b) == 0


def test_of_several_the_newest(clones: Clones, tmp_path: Path) -> None:
    a, b = clones
    run_command(a, "train", writes=("model",), at=at(1), content="weights")
    run_command(a, "train", writes=("model",), at=at(2), content="worse")
    newest = run_command(a, "train", writes=("model",), at=at(3), content="weights")["model"]
    here = find_file(b, "model", at(4), "weights")
    pull(b, a)
    assert notice_transfers(b) == 1
    assert sources_of(b, here) == [newest]


def test_of_several_at_once_the_larger_origin(clones: Clones, tmp_path: Path) -> None:
    a, b = clones
    (tmp_path / "c").mkdir()
    with init_project(str(tmp_path / "c"), join=a.project) as c:
        made = {s.origin: run_command(s, "train", writes=("m",), at=at(1), content="w")["m"] for s in (a, c)}
        here = find_file(b, "m", at(2), "w")
        pull(b, c)
        pull(b, a)
        assert notice_transfers(b) == 1
        assert sources_of(b, here) == [made[max(made)]]


def test_never_a_cycle(clones: Clones) -> None:
    """A copied back what B gave it, and its clock is behind: B's file did not come from A."""
    a, b = clones
    here = find_file(b, "data", at(5), "bytes")
    pull(a, b)
    run_command(a, "cp", reads=(here,), writes=("data",), at=at(1), content="bytes")
    pull(b, a)
    assert notice_transfers(b) == 0


def test_several_transfers_together_close_no_cycle() -> None:
    """Two clones' files that would each explain the other's."""
    one = Arrival("x", "p", at(5), "f", at(1), "o")
    other = Arrival("y", "q", at(5), "g", at(1), "o")
    leads = {("x", "g"), ("y", "f")}  # g came from x, f from y

    def leads_to(earlier: str, later: str, planned: dict[str, list[str]]) -> bool:
        seen, ready = {earlier}, [earlier]
        while ready:
            at_hand = ready.pop()
            following = [b for a, b in leads if a == at_hand] + planned.get(at_hand, [])
            ready += [uid for uid in following if uid not in seen]
            seen.update(following)
        return later in seen

    assert transfers([one, other], leads_to) == [one]


def test_two_states_of_one_file(clones: Clones) -> None:
    a, b = clones
    first = run_command(a, "train", writes=("model",), at=at(1), content="one")["model"]
    second = run_command(a, "train", writes=("model",), at=at(3), content="two")["model"]
    early = find_file(b, "model", at(2), "one")
    late = find_file(b, "model", at(4), "two")
    pull(b, a)
    assert notice_transfers(b) == 2
    assert (sources_of(b, early), sources_of(b, late)) == ([first], [second])
    known = b.knowledge.known("model")
    assert known is not None and known.uid == late and known.sha256 == sha256("two")
