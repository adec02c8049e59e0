"""Laws of rewriting one event's body."""

import base64
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provgraph.events import Event
from provgraph.model import members
from provgraph.model.identity import Namespace
from provgraph.schemas import validator
from provgraph.stores.purge_bodies import GONE, Removal, Rewriter, digests_in, merged

PROJECT, ORIGIN = "0b7f9f7e-1111-4000-8000-000000000001", "0b7f9f7e-2222-7000-8000-000000000002"
NAMESPACE = Namespace(PROJECT)
OTHER = "0b7f9f7e-3333-5000-8000-000000000003"
texts = st.sampled_from(["a SEC b", "SEC", "plain", "SECSEC", "é SEC", 'q"SEC', "\udcffSEC"]) | st.text(max_size=5)
keys = texts | st.sampled_from(["path", "name", "command", "x_json", "started_at", "number", "sha256", "note"])
scalars = texts | st.integers() | st.booleans() | st.floats(allow_nan=False)
properties = st.dictionaries(keys.filter(bool), scalars | st.lists(scalars, max_size=3), max_size=5)
bodies = st.builds(
    lambda vertices, edges, sets: {
        "vertices": [[["Entity", "Artifact"], row, NAMESPACE.artifact(str(row))] for row in vertices],
        "edges": [["used", OTHER, OTHER, row] for row in edges],
        "set": [[OTHER, row] for row in sets],
    },
    st.lists(properties, max_size=3),
    st.lists(properties, max_size=3),
    st.lists(properties, max_size=3),
)


def event(body: dict[str, Any]) -> Event:
    return Event(1, NAMESPACE.event(ORIGIN, 1), ORIGIN, 1, "provenance.declared", 1, "2026-11-20T12:00:00+00:00", body)


def rewritten(body: dict[str, Any], removal: Removal) -> dict[str, Any]:
    return Rewriter(removal, NAMESPACE).body(event(body)) or body


SEC = Removal("pattern", ((re.compile("SEC"), GONE),))
OURS = ("started_at", "sha256", "number")


@given(bodies)
def test_nothing_is_left_and_the_shape_stays(body: dict[str, Any]) -> None:
    new = rewritten(body, SEC)
    for part in ("vertices", "edges", "set"):
        assert len(new[part]) == len(body[part])
        for old_row, row in zip(body[part], new[part], strict=True):
            found, was = row[3] if part == "edges" else row[1], old_row[3] if part == "edges" else old_row[1]
            assert len(found) == len(was)
            assert all("SEC" not in json.dumps([key, value]) for key, value in found.items() if key not in OURS)
            assert {key: found[key] for key in OURS if key in was} == {key: was[key] for key in OURS if key in was}
    assert [row[0] for row in new["vertices"]] == [row[0] for row in body["vertices"]]
    assert Rewriter(SEC, NAMESPACE).body(event(new)) is None
    assert merged(new, new) == new


def test_members_stay_in_order_and_apart() -> None:
    digest = "ab" * 32
    chunk = members.encode([("SEC1", digest, 1), ("SEC2", None, 2), ("a", "cd" * 32, 3)])
    body = {
        "vertices": [[["Entity", "Snapshot", "Collection"], {"path": "in/SEC", "sha256": "ef" * 32}]],
        "facts": {"members": [{"vertex": 0, "chunk": chunk}]},
    }
    new = rewritten(body, Removal("pattern", ((re.compile(r"SEC\d?"), GONE),), digests=frozenset({digest})))
    assert list(members.decode(new["facts"]["members"][0]["chunk"])) == [
        ("***", None, 1),
        ("***_", None, 2),
        ("a", "cd" * 32, 3),
    ]
    assert digests_in(body) - digests_in(new) == {digest}


def test_quoting_does_not_hide_a_secret_in_the_command() -> None:
    argv = ["echo", "it's SEC", "SEC"]
    body = {"vertices": [[["Activity", "Command"], {"argv": argv, "command": """echo 'it'"'"'s SEC' SEC"""}]]}
    new = rewritten(body, Removal("pattern", ((re.compile("it's SEC"), GONE),)))
    assert new["vertices"][0][1] == {"argv": ["echo", "***", "SEC"], "command": "echo '***' SEC"}


def test_numbers_json_and_encoded_paths_are_looked_into() -> None:
    import base64

    raw = base64.b64encode(b"\xffSEC").decode()
    body = {
        "vertices": [
            [["Entity"], {"pin": 4711, "x_json": '{"k\\u0053EC": ["S\\u0045C"]}', "path": "%FFSEC", "path_bytes": raw}]
        ]
    }
    new = rewritten(body, Removal("pattern", ((re.compile("SEC|4711"), GONE),)))["vertices"][0][1]
    assert new["pin"] == "***" and json.loads(new["x_json"]) == {"k***": ["***"]} and new["path"] == "%FF***"
    assert base64.b64decode(new["path_bytes"]) == b"\xff***"
    validator("event")(
        {"origin_seq": 1, "kind": "a.b", "schema": 1, "time": event({}).time, "body": {"vertices": [[["Entity"], new]]}}
    )


def test_uids_that_are_digests_of_what_goes_are_replaced_everywhere() -> None:
    artifact, fresh = NAMESPACE.artifact("SEC.csv"), "0b7f9f7e-4444-7000-8000-000000000004"
    bodies: list[dict[str, Any]] = [
        {"vertices": [[["Entity", "Snapshot"], {"path": "a"}]], "edges": [["specializationOf", 0, artifact]]},
        {"vertices": [[["Entity", "Artifact"], {"path": "SEC.csv"}, artifact]]},
        {"set": [[artifact, {"same_as": artifact, "mine": artifact}]], "facts": {"pair": [artifact, {artifact: 1}]}},
    ]
    first = Rewriter(SEC, NAMESPACE)
    for body in bodies:
        first.body(event(body))
    assert list(first.renamed) == [artifact]
    second = Rewriter(Removal("pattern", SEC.substitutions, renamed={artifact: fresh}), NAMESPACE)
    assert artifact not in json.dumps([second.body(event(body)) for body in bodies])


def test_a_number_goes_where_all_of_it_matches() -> None:
    body = {"vertices": [[["Entity"], {"pin": 4711, "loss": 0.4711, "yes": True, "pins": [4711, 47110]}]]}
    new = rewritten(body, Removal("pattern", ((re.compile("4711|True"), GONE),)))["vertices"][0][1]
    assert new == {"pin": "***", "loss": 0.4711, "yes": True, "pins": ["***", 47110]}


def test_two_purges_of_one_event_leave_what_both_left() -> None:
    one, other = "a *** b SECRET c", "a HIDDEN b *** c"
    assert merged(one, other) == GONE
    assert merged("a *** b ***", "a *** b SECRET") == "a *** b ***" == merged("a *** b SECRET", "a *** b ***")
    assert merged({"a": 1, "b": 2}, {"b": 2, "c": 3}) == {"b": 2}
    assert merged({"content": "purged"}, {"sha256": "x", "size_bytes": 1}) == {"content": "purged"}
    assert merged(GONE, 4711) == GONE
    first, second = (members.encode([(name, digest, 1)]) for name, digest in (("a***", "ab" * 32), ("aSEC", None)))
    assert list(members.decode(merged({"chunk": first}, {"chunk": second})["chunk"])) == [("a***", None, 1)]


def test_two_purges_leave_no_digest_of_what_either_took() -> None:
    one, two = "ab" * 32, "cd" * 32
    without_digest = members.encode([("a", one, 1), ("b", None, 1), ("z", two, 1)])
    without_name = members.encode([(GONE, two, 1), ("a", one, 1), ("b", "ef" * 32, 1)])
    left = [(GONE, two, 1), ("a", one, 1), ("b", None, 1)]
    for pair in ((without_digest, without_name), (without_name, without_digest)):
        found = merged(*({"chunk": chunk} for chunk in pair))
        assert list(members.decode(found["chunk"])) == left
        assert merged({"chunk": pair[0]}, found) == found == merged({"chunk": pair[1]}, found)
    bare, fresh = NAMESPACE.person("ada@x.org"), ORIGIN
    assert merged(bare, fresh) == fresh == merged(fresh, bare)


def test_two_purges_of_a_path_that_is_no_text() -> None:
    one, two = (base64.b64encode(path).decode() for path in (b"\xff***/SEC2", b"\xffSEC1/***"))
    for pair in ((one, two), (two, one)):
        assert base64.b64decode(merged(*({"path_bytes": path} for path in pair))["path_bytes"]) == b"***"
