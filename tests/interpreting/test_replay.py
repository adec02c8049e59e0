"""Applying new and newer ingestors to the past: once each, the older result superseded and kept."""

import pytest

from provgraph.errors import QuestionError
from provgraph.session.interpreting.replaying import replay
from provgraph.session.project import Project

FIRST = """
found.activity(kept=1, gone=2, mine=3).snapshot("b.txt", lines=1, old=True)
found.derivation("b.txt", "a.txt", rate=1).vertex("net", ["Entity", "Model"], name="net")
found.series("activity", "loss", [1, 2], [2.0, 1.0]).note("from the first")
"""
SECOND = """
found.activity(kept=10, new=4).snapshot("b.txt", lines=1)
found.derivation("b.txt", "a.txt", rate=2).vertex("net", ["Entity", "Model"], name="net")
found.series("activity", "loss", [1, 2, 3], [2.0, 1.0, 0.5])
"""


@pytest.fixture
def asked(lab, monkeypatch):
    """Replays here, as the command's user does."""
    for key, value in lab.provdb.environment.items():
        monkeypatch.setenv(key, value)

    def ask(*names, references=()):
        with Project(str(lab.root)) as project:
            return replay(project, names, references)

    return ask


def test_new_ones_are_applied_to_the_past(lab, asked):
    lab.copy()
    lab.run("true")
    lab.ingestor("late", "found.activity(size=generated[0].size_bytes, text=generated[0].open().read().decode())")
    (lab.root / "b.txt").unlink()
    done = asked()
    assert done.activities == 2
    [change] = done.changes
    assert (change.name, change.ingestor, change.before, change.found) == ("cp #1", "late", None, True)
    assert lab.shown("%2")["text"] == "words of a file\n"
    assert asked().changes == ()
    assert len(lab.events()) == 1


def test_a_newer_version_takes_the_place_of_the_older(lab, asked):
    lab.ingestor("reader", FIRST)
    lab.copy()
    lab.provdb("annotate", "%1", "gone=user", "new=user")
    lab.provdb("annotate", "b.txt", "old=user")
    lab.ingestor("other", "found.activity(mine='other')")
    asked("other")
    lab.ingestor("reader", SECOND)
    [change] = asked("reader").changes
    assert change.found
    assert change.before != change.version
    shown = lab.shown()
    assert (shown["kept"], shown["mine"]) == (10, "other")
    assert (shown["gone"], shown["new"]) == ("user", "user")
    assert shown["metric_loss_count"] == 3
    assert "ingestor_notes" not in shown
    assert [entry.split()[0] for entry in shown["ingestors"]] == ["other", "reader"]
    file = lab.shown("b.txt")
    assert (file["lines"], file["old"]) == (1, "user")
    rows = lab.provdb.rows("MATCH (m:Model) RETURN m.superseded_by IS NULL ORDER BY 1")
    assert rows == [[False], [True]]
    rates = "MATCH ({path: 'b.txt'})-[d:wasDerivedFrom]->({path: 'a.txt'}) WHERE d.rate > 0 RETURN d.rate, d.role"
    assert lab.provdb.rows(rates) == [[2, "reader"]]
    assert len([event for event in lab.events() if event.body["facts"]["ingestor"] == "reader"]) == 2
    assert asked().changes == ()


def test_what_the_newer_one_no_longer_says_goes(lab, asked):
    lab.ingestor("reader", FIRST)
    lab.copy()
    lab.ingestor("reader", "")
    [change] = asked().changes
    assert not change.found
    shown = lab.shown()
    assert not {"kept", "gone", "mine", "ingestors", "ingestor_notes", "metric_loss"} & set(shown)
    assert not {"lines", "old"} & set(lab.shown("b.txt"))
    edges = "MATCH ()-[d:wasDerivedFrom]->() WHERE d.role = 'reader' RETURN d.superseded_by IS NULL"
    assert lab.provdb.rows(edges) == [[False]]
    assert asked().changes == ()
    lab.ingestor("reader", FIRST)
    assert len(asked().changes) == 1
    assert lab.provdb.rows("MATCH ()-[d:wasDerivedFrom]->() WHERE d.rate = 1 AND d.superseded_by IS NULL RETURN 1") == [
        [1]
    ]


def _series(lab):
    return {one["name"] for one in lab.provdb.json("show", "%1", "--series")["series"]}


def test_edges_to_vertices_and_series_that_the_newer_one_no_longer_says_go(lab, asked):
    lab.ingestor(
        "reader",
        """
        found.vertex("net", ["Entity", "Model"], name="net").edge("used", "activity", {"key": "net"})
        found.vertex("s", ["Entity", "Snapshot"], path="https://h.org/x").edge("used", "activity", {"key": "s"})
        found.series("activity", "loss", [1, 2], [2.0, 1.0]).series("activity", "kept", [1], [1.0])
        """,
    )
    lab.copy()
    assert _series(lab) == {"kept", "loss"}
    lab.ingestor(
        "reader",
        """
        found.vertex("s", ["Entity", "Snapshot"], path="https://h.org/x").edge("used", "activity", {"key": "s"})
        found.series("activity", "kept", [1], [1.0])
        """,
    )
    asked()
    used = "MATCH (:Command)-[u:used]->(e) WHERE u.role = 'reader' AND u.superseded_by IS NULL RETURN e.path, e.name"
    assert lab.provdb.rows(used) == [["https://h.org/x", None]]
    assert _series(lab) == {"kept"}
    lab.ingestor("reader", "found.series('activity', 'loss', [1], [5.0])")
    asked()
    lab.provdb("cypher", used, check=1)  # no row
    relations = lab.provdb.json("show", "%1")["relations"]
    assert [one for one in relations if "reader" in str(one)] == []
    assert _series(lab) == {"loss"}
    assert "violation" not in lab.provdb("doctor").stdout


def test_one_that_no_longer_fits_says_nothing_any_more(lab, asked):
    lab.ingestor("reader", "found.activity(x=1)")
    lab.copy()
    lab.ingestor("reader", "found.activity(x=1)", "Match(utility='mv')")
    assert [change.found for change in asked().changes] == [False]
    assert "x" not in lab.shown()


def test_a_failure_keeps_what_was_found_and_is_tried_again(lab, asked):
    lab.ingestor("reader", "found.activity(x=1)")
    lab.copy()
    lab.ingestor("reader", "if not (here / 'go').exists(): raise ValueError('not yet')\nfound.activity(x=2)")
    assert "ValueError: not yet" in asked().changes[0].error
    shown = lab.shown()
    assert shown["x"] == 1
    assert "not yet" in shown["ingestors_failed"][0]
    assert asked().changes == ()
    lab.write("go", "")
    assert [change.found for change in asked().changes] == [True]
    shown = lab.shown()
    assert shown["x"] == 2
    assert "ingestors_failed" not in shown


RULE = """
[[ingestors.rule]]
name = "scores"
description = "{}"
files = ["*.ext"]
regex = 'score=(?P<score>\\S+)'
"""


def test_where_bytes_are_gone_the_earlier_result_stays(lab, asked):
    """Of a file outside the project nobody keeps the bytes."""
    config = lab.root / ".provdb/config.toml"
    before = config.read_text()
    outside, late = lab.root.parent / "m.ext", lab.root.parent / "late.ext"
    outside.write_text("score=0.9\n")
    config.write_text(before + RULE.format("one"))
    lab.provdb("trust", ".")
    lab.run("cat", outside)
    assert lab.shown()["score"] == 0.9
    outside.unlink()
    config.write_text(before + RULE.format("two"))
    lab.provdb("trust", ".")
    [change] = asked().changes
    assert change.error == f"the bytes of {outside} are gone; the earlier result stays"
    shown = lab.shown()
    assert shown["score"] == 0.9
    assert shown["ingestors_failed"] == [f"scores: {change.error}"]
    assert asked().changes == ()
    late.write_text("score=0.7\n")
    lab.run("cat", late)
    assert lab.shown()["score"] == 0.7


def test_bytes_that_were_gone_before_are_no_failure(lab, asked):
    """The earlier result did without them, too."""
    outside = lab.root.parent / "m.ext"
    outside.write_text("score=0.9\n")
    lab.run("cat", outside)
    lab.settle()
    outside.unlink()
    body = "found.activity({}=[file.content is None for file in used if file.path.endswith('.ext')])"
    lab.ingestor("reader", body.format("first"), "Match(utility='cat')")
    assert [change.error for change in asked().changes] == [""]
    assert lab.shown()["first"] == [True]
    lab.ingestor("reader", body.format("second"), "Match(utility='cat')")
    assert [change.error for change in asked().changes] == [""]
    shown = lab.shown()
    assert shown["second"] == [True]
    assert "first" not in shown


def test_of_what_is_asked_for(lab, asked):
    lab.copy()
    lab.copy()
    lab.ingestor("one", "found.activity(one=1)")
    lab.ingestor("two", "found.activity(two=1)")
    assert [(c.name, c.ingestor) for c in asked("two", references=["%1"]).changes] == [("cp #2", "two")]
    with pytest.raises(QuestionError, match="no ingestor 'three'"):
        asked("three")
    with pytest.raises(QuestionError, match="no activity"):
        asked(references=["b.txt"])


def test_without_trust_only_what_comes_with_provgraph_is_applied(lab, asked):
    lab.copy()
    lab.ingestor("one", "found.activity(one=1)", trust=False)
    with pytest.raises(QuestionError, match="no ingestor 'one'"):
        asked("one")


def test_what_another_ingestor_says_too_has_its_value_then(lab, asked):
    lab.ingestor("older", "found.activity(both=1, alone=1)")
    lab.ingestor("younger", "found.activity(both=2)")
    lab.copy()
    assert lab.shown()["both"] == 2
    lab.ingestor("younger", "found.activity(other=1)")
    asked("younger")
    assert (lab.shown()["both"], lab.shown()["other"]) == (1, 1)
    lab.ingestor("older", "found.activity(both=3)")
    asked("older")
    assert lab.shown()["both"] == 3
    assert "alone" not in lab.shown()
    lab.ingestor("younger", "found.activity(both=4)")
    lab.ingestor("older", "found.activity(alone=5)")
    asked()
    assert (lab.shown()["both"], lab.shown()["alone"]) == (4, 5)
    lab.ingestor("younger", "")
    asked()
    assert "both" not in lab.shown(), "the older one has taken its word back"
