"""What is taken of what an ingestor says. (What is refused is tested with real ingestors.)"""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from two_clones import run_command

from provgraph.ingest.places import Places
from provgraph.ingestors.port import Findings, Moment
from provgraph.session.interpreting.finding import Around, Node, RefusedError, check
from provgraph.session.interpreting.finding_events import FindingWriter, History, Outcome, scrubber
from provgraph.session.interpreting.occurring import Recollection
from provgraph.stores import init_project

ONE = Around(["a"], {"in": "i", "both": "old"}, {"out": "o", "both": "new"}, {"i": 0, "old": 0, "o": 0, "new": 0})
PARTS = Around(["a", "b"], {"in": "i", "late": "l"}, {"soon": "s", "out": "o"}, {"i": 0, "l": 1, "s": 0, "o": 1})


def found(findings, around=ONE):
    return check(findings.to_json(), around)


def test_a_path_is_what_was_generated_and_as_a_cause_what_was_used():
    taken = found(Findings().snapshot("both", x=1).snapshot("in", y=2).derivation("both", "both"))
    assert taken.properties == {Node("new"): {"x": 1}, Node("i"): {"y": 2}}
    assert [(edge.source.uid, edge.target.uid) for edge in taken.edges] == [("new", "old")]


def test_an_empty_finding_is_nothing():
    assert not found(Findings())


def test_what_a_later_part_read_is_no_cause_of_what_an_earlier_one_wrote():
    """There are parts because it may be its effect."""
    found(Findings().derivation("out", "in").derivation("out", "late").derivation("soon", "in"), PARTS)
    with pytest.raises(RefusedError, match="its own ancestor"):
        found(Findings().derivation("soon", "late"), PARTS)
    roundabout = Findings().vertex("k", ["Entity"]).edge("wasDerivedFrom", {"key": "k"}, "late")
    found(roundabout, PARTS)
    with pytest.raises(RefusedError, match="its own ancestor"):
        found(roundabout.edge("wasDerivedFrom", "soon", {"key": "k"}), PARTS)


@pytest.mark.parametrize("relation", ["wasInvalidatedBy", "specializationOf", "alternateOf", "hadMember"])
def test_what_a_file_is_and_whether_it_still_is_was_seen(relation):
    to = "activity" if relation == "wasInvalidatedBy" else "out"
    with pytest.raises(RefusedError, match=f"{relation} begins at a file that is there"):
        found(Findings().edge(relation, "in", to))
    new = Findings().vertex("k", ["Entity"]).edge(relation, {"key": "k"}, to)
    assert [edge.type for edge in found(new).edges] == [relation]


def test_the_activity_used_and_generated_with_its_last_part():
    findings = Findings().vertex("k", ["Entity"]).edge("used", "activity", {"key": "k"})
    assert [edge.source.uid for edge in found(findings, PARTS).edges] == ["b"]
    findings = Findings().vertex("k", ["Entity"]).edge("wasGeneratedBy", {"key": "k"}, "activity")
    assert [edge.target.uid for edge in found(findings, PARTS).edges] == ["b"]


def test_numbers_that_json_has_not_are_series_too():
    document = {**Findings().to_json(), "series": [{"of": "activity", "name": "loss", "steps": [1, 2], "values": []}]}
    document["series"][0]["values"] = ["NaN", "Infinity"]
    points = check(document, ONE).series[Node("a")]["loss"]
    assert str(list(points.values)) == "[nan, inf]"


SCALARS = st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
PATH = st.sampled_from(["in", "out", "both", "late", "nowhere", ""])
KEY = st.sampled_from(["k", "l", ""])
NODE = st.just("activity") | st.builds(lambda path: {"path": path}, PATH) | st.builds(lambda key: {"key": key}, KEY)
SOME = st.dictionaries(
    st.text(max_size=5) | st.sampled_from(["sha256", "role", "type", "self", "source"]), JSON, max_size=3
)
LABELS = st.lists(st.sampled_from(["Entity", "Activity", "Agent", "Model", "Snapshot", "Version"]), max_size=3)
RELATION = st.sampled_from(["used", "wasGeneratedBy", "wasDerivedFrom", "hadMember", "liked"])
NUMBERS = st.lists(SCALARS | st.integers(), max_size=3)


def several(**parts):
    return st.lists(st.fixed_dictionaries({}, optional=parts), max_size=3)


DOCUMENT = st.fixed_dictionaries(
    {"schema": st.just("provgraph/findings/1")},
    optional={
        "activity": SOME,
        "snapshots": several(path=PATH, properties=SOME),
        "derivations": several(generated=PATH, used=PATH, properties=SOME),
        "vertices": several(key=KEY, labels=LABELS, properties=SOME),
        "edges": several(type=RELATION, source=NODE, target=NODE, properties=SOME),
        "series": several(of=NODE, name=st.text(max_size=3), steps=NUMBERS, values=NUMBERS, times=NUMBERS),
        "records": several(generated=PATH, row=SCALARS, used=several(path=PATH, row=SCALARS)),
        "notes": st.lists(st.text(max_size=5) | SCALARS, max_size=2),
        "more": JSON,
    },
)


@given(DOCUMENT | JSON, st.sampled_from([ONE, PARTS]))
def test_anything_is_taken_or_refused(document, around):
    with contextlib.suppress(RefusedError):
        check(document, around)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all that is journaled here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        with init_project(str(tmp_path_factory.mktemp("journal"))) as opened:
            yield opened


@settings(max_examples=100)
@given(DOCUMENT)
def test_what_is_taken_can_be_journaled(store, document):
    first = run_command(store, "first", writes=("in", "both"))
    uid = run_command(store, "cp", reads=(first["in"], first["both"]), writes=("out",))[""]
    recollection = Recollection(store, Places(str(store.root), "", store.namespace, lambda _path: "project"))
    recorded = recollection.recorded(uid)
    assert recorded is not None
    given = recollection.given(recorded, Moment.AFTER)
    assert (set(recorded.used), set(recorded.generated)) == ({"in", "both"}, {"out"})
    said = FindingWriter(store, scrubber(())).write(given, [Outcome("one", "1", "after", document)], History())
    assert not any(one.error.startswith("what it found cannot") for one in said), said
    assert store.projection_error is None
    assert store.reader.vertex(uid) is not None


def test_what_was_journaled_can_be_projected_anew(store):
    """All that was journaled by the test before this one."""
    assert store.rebuild() == store.digest()
    assert not store.graph.execute("SELECT * FROM violation").fetchall()
