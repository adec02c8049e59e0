"""What events come to and how rows are made of it: pure functions, no server."""

import math
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from team_journals import AT, VALUES, event, plain

from provgraph.errors import QuestionError
from provgraph.model.identity import Namespace, uuid7
from provgraph.stores.cypher_properties import to_server
from provgraph.stores.neo4j import Remote, chunks, lines, statements
from provgraph.stores.neo4j.folding import Known, Write, fold, settle, settle_edge

PROJECT, ORIGIN = uuid7(), uuid7()
NAMESPACE = Namespace(PROJECT)
KEYS = [
    "path",
    "created_at",
    "sha256",
    "sequence",
    "x",
    "path_json",
    "uid",
    "project",
    "",
    "started_at",
    "argv",
    "restorable",
]


@given(
    st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from(VALUES) | st.text() | st.integers() | st.floats(), max_size=8
    ),
    st.sampled_from([("Entity", "Snapshot"), ("Activity", "Command"), ("Entity",), ("used",)]),
)
def test_a_row_holds_what_the_conversion_gives(properties: dict[str, Any], owners: tuple[str, ...]) -> None:
    columns = statements.columns_of(owners)
    *row, rest = statements.cells(properties, columns, vertex=True)
    held = dict(rest or {})
    for key, value in zip(columns, row, strict=True):
        if value is not None:
            assert key not in held
            held[key] = (
                datetime.fromisoformat(value) if key in ("created_at", "started_at", "ended_at", "at") else value
            )
    assert plain(held) == plain(to_server(properties))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("A b", "`A b`"),
        ("a`b", "`a``b`"),
        ("\\u0060", "`\\u005Cu0060`"),
        ("x`) DETACH DELETE (n", "`x``) DETACH DELETE (n`"),
    ],
)
def test_names_are_quoted(name: str, text: str) -> None:
    assert statements.quoted(name) == text


def test_a_label_that_looks_like_ours_is_set_apart() -> None:
    assert statements.label("ProvgraphChunk") == "`\U0010e000ProvgraphChunk`"


def test_each_vertex_and_edge_once() -> None:
    person = NAMESPACE.person("ada@x.org")
    body = {
        "vertices": [[["Activity"], {"name": "a"}], [["Agent", "Person"], {"name": "Ada"}, person]],
        "edges": [
            ["wasAssociatedWith", 0, 1],
            ["wasAssociatedWith", 0, 1, {"role": "x"}],
            ["wasAssociatedWith", 0, person],
        ],
    }
    again = {"vertices": [[["Agent", "Person"], {"name": "Ada L."}, person]], "set": [[person, {"x": 1}]]}
    folded = fold([event(PROJECT, ORIGIN, 1, body), event(PROJECT, ORIGIN, 2, again)], NAMESPACE)
    activity = NAMESPACE.vertex(ORIGIN, 1, 0)
    assert {uid: len(writes) for uid, writes in folded.vertices.items()} == {activity: 1, person: 3}
    assert {key: len(writes) for key, writes in folded.edges.items()} == {
        ("wasAssociatedWith", activity, person, ""): 2,
        ("wasAssociatedWith", activity, person, "x"): 1,
    }


def _write(value: Any, stamp: str, labels: tuple[str, ...] | None = None) -> Write:
    return Write(labels, False, {"name": value}, stamp)


def test_the_later_stamp_wins_whatever_comes_first() -> None:
    person = ("Agent", "Person")
    old, new, annotated = "0|2026-01-01|a|1", "0|2026-01-02|b|1", "1|2025-01-01|a|2"
    writes = [_write("old", old, person), _write("new", new, person), _write(None, annotated)]
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0], [2, 0, 1]):
        settled = settle([writes[place] for place in order], ORIGIN, None, {})
        assert (settled.properties, settled.stamps) == ({}, {"name": annotated})
        first, *others = (writes[place] for place in order)
        so_far = settle([first], ORIGIN, None, {})
        for write in others:
            known = Known("Agent", so_far.labels, so_far.home, dict(so_far.properties))
            so_far = settle([write], ORIGIN, known, so_far.stamps)
        assert (so_far.properties, so_far.stamps) == (settled.properties, settled.stamps)


def test_what_one_origin_writes_needs_no_stamp() -> None:
    known = Known("Activity", ("Activity",), ORIGIN, {"name": "a"})
    settled = settle([_write("b", "0|2020|a|2")], ORIGIN, known, {})
    assert (settled.properties, settled.stamps) == ({"name": "b"}, {})
    later = settle([_write("c", "0|2030|a|3")], ORIGIN, known, {"name": "1|2020|b|1"})
    assert later.properties == {"name": "a"}


def test_an_edge_that_is_written_again() -> None:
    assert settle_edge([({"at": AT}, "s1"), ({"n": 1}, "s0")], False, None) == ({"at": AT, "n": 1}, {})
    known = ({"n": 5}, {"n": "s2"})
    assert settle_edge([({"n": 1, "m": 2}, "s1")], True, known) == ({"n": 5, "m": 2}, {"n": "s2", "m": "s1"})


def test_a_chunk_is_verbatim() -> None:
    body = {"vertices": [[["Entity"], {"x": math.inf, "$y": "\udcff", "n": 1 << 80}]], "facts": {"deep": [{"a": None}]}}
    events = [event(PROJECT, ORIGIN, number, body, "levitation.seen") for number in (7, 8)]
    events.append(type(events[0])(9, uuid7(), ORIGIN, 9, "x.y", 3, AT, {}))
    back = chunks.decode(chunks.encode(events, NAMESPACE), ORIGIN, 7, NAMESPACE)
    assert [(e.uid, e.origin_seq, e.kind, e.schema, e.time, e.body) for e in back] == [
        (e.uid, e.origin_seq, e.kind, e.schema, e.time, e.body) for e in events
    ]


def test_lines_fit_into_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LARGEST", 10)
    found = ["a" * 4, "b" * 4, "", "c" * 30, "d"]
    texts = list(lines.parameters(found))
    assert [line for text in texts for line in text.split(lines.LINE)] == found
    assert len(texts) == 3
    assert list(lines.parameters([])) == []


def test_only_plain_values_become_fields() -> None:
    rows = [{"path": "a", "n": 1, "x": 0.1, "b": True, "at": AT, "argv": ["a", ""]}] * 2
    shape, columns = lines.fields(list(rows[0]), rows) or ((), [])
    assert [how for _, how in shape] == ["text", "integer", "float", "boolean", "instant", "texts"]
    assert [column[0] for column in columns] == ["a", "1", "0.1", "true", AT, "a\x1d"]
    odd: list[Any] = [
        "a\x1e", "\x1f", 1 << 63, math.nan, [], ["a\x1db"], [1], {"a": 1}, ["\x1e"]
    ]  # fmt: skip
    for value in odd:
        assert lines.fields(["k"], [{"k": value}]) is None
    assert lines.fields(["k"], [{"k": 1}, {"k": 1.0}]) is None
    assert lines.fields(["at"], [{"at": "no time"}]) is None


@pytest.mark.parametrize(
    ("url", "address", "place"),
    [
        ("bolt://127.0.0.1", "bolt://127.0.0.1", "127.0.0.1:7687"),
        ("neo4j://localhost:7688", "bolt://localhost:7688", "localhost:7688"),  # no routing in the clear
        ("neo4j+s://Example.org/", "neo4j+s://example.org", "example.org:7687"),
        ("bolt+s://[::1]:1", "bolt+s://[::1]:1", "[::1]:1"),
    ],
)
def test_the_address_for_the_driver(url: str, address: str, place: str) -> None:
    remote = Remote("team", url, "neo4j", "secret")
    assert (remote.address, remote.place) == (address, place)
    assert "secret" not in repr(remote)


def test_no_password_in_the_clear() -> None:
    for url in ("bolt://example.org", "neo4j://example.org:7687"):
        with pytest.raises(QuestionError, match="not encrypted"):
            assert Remote("team", url, "neo4j", "secret").address
        assert Remote("team", url, "neo4j", "secret", insecure=True).address.startswith("bolt://")


def test_the_package_needs_no_driver() -> None:
    code = "import sys; from provgraph.stores.neo4j import Remote, TeamStore; print('neo4j' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
