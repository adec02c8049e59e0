"""A question at the server meets its own project alone, whatever form its patterns have."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from cypher_samples import QUESTIONS, Both, both_stores, history, parameters, runs, same
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import CypherError, ProvGraphError
from provgraph.stores.cypher.tokens import tokens
from provgraph.stores.neo4j.cypher_guard import check
from provgraph.stores.neo4j.cypher_patterns import nodes
from provgraph.stores.neo4j.cypher_scoping import scoped

P = "`project`: $`provgraph_project`"
K = ":(Entity|Activity|Agent)"


def _scoped(query: str, **more: Any) -> str:
    words = tokens(query)
    return " ".join(token.text for token in tokens(scoped(query, words, (), **more).text))


def _prepared(query: str) -> None:
    words = tokens(query)
    check(words)
    scoped(query, words, ())


def _plain(query: str) -> str:
    return " ".join(token.text for token in tokens(query))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("MATCH (n) RETURN n", f"MATCH (n{K} {{{P}}}) RETURN n"),
        ("MATCH () RETURN 1", f"MATCH ({K} {{{P}}}) RETURN 1"),
        ("MATCH (n:A:B) RETURN n", f"MATCH (n:A&B {{{P}}}) RETURN n"),
        ("MATCH (n:A:B)-->(m) RETURN n", f"MATCH (n:A&B {{{P}}})-->(m{K} {{{P}}}) RETURN n"),
        ("MATCH (n) WHERE n:A:B RETURN n", f"MATCH (n {{{P}}}) WHERE n:A:B RETURN n"),
        ("MATCH (n:A:B)-[:a|:b]->() RETURN n", f"MATCH (n:A:B {{{P}}})-[:a|:b]->({{{P}}}) RETURN n"),
        ("MATCH (n:A|B&!(C|D)) RETURN n", f"MATCH (n:A|B&!(C|D) {{{P}}}) RETURN n"),
        ("MATCH (n IS A) RETURN n", f"MATCH (n IS A {{{P}}}) RETURN n"),
        ("MATCH (n {}) RETURN n", f"MATCH (n{K} {{{P}}}) RETURN n"),
        ("MATCH (n {a: 1}) RETURN n", f"MATCH (n{K} {{{P}, a: 1}}) RETURN n"),
        ("MATCH (n WHERE n.a = 1) RETURN n", f"MATCH (n{K} {{{P}}} WHERE n.a = 1) RETURN n"),
        ("MATCH (n:A {a: 1} WHERE n.b) RETURN n", f"MATCH (n:A {{{P}, a: 1}} WHERE n.b) RETURN n"),
        (
            "MATCH (n {a: 1, project: $p, b: 2}) RETURN n",
            (
                "MATCH (n:(Entity|Activity|Agent) {a: 1, project: CASE WHEN ($p) = $`provgraph_project` "
                "THEN $`provgraph_project` END, b: 2}) RETURN n"
            ),
        ),
        (
            "MATCH (a)-[r:used {at: 1}]->(b) RETURN r",
            f"MATCH (a{K} {{{P}}})-[r:used {{at: 1}}]->(b{K} {{{P}}}) RETURN r",
        ),
        ("MATCH p = (a)--(b), (c) RETURN p", f"MATCH p = (a{K} {{{P}}})--(b{K} {{{P}}}), (c{K} {{{P}}}) RETURN p"),
        ("MATCH ((a)-->(b)){1,5} RETURN a", f"MATCH ((a{K} {{{P}}})-->(b{K} {{{P}}})){{1,5}} RETURN a"),
        ("MATCH (a)-[:used]->{1,5}(b) RETURN a", f"MATCH (a{K} {{{P}}})-[:used]->{{1,5}}(b{K} {{{P}}}) RETURN a"),
        ("RETURN [(a)-->(b) | b.x]", f"RETURN [(a{K} {{{P}}})-->(b{K} {{{P}}}) | b.x]"),
        ("RETURN [p = (a)<--() WHERE a.x | p]", f"RETURN [p = (a{K} {{{P}}})<--({K} {{{P}}}) WHERE a.x | p]"),
        (
            "MATCH (a) WHERE (a)-[:x]-() RETURN a",
            f"MATCH (a{K} {{{P}}}) WHERE (a{K} {{{P}}})-[:x]-({K} {{{P}}}) RETURN a",
        ),
        ("RETURN EXISTS { (a) }", f"RETURN EXISTS {{ (a{K} {{{P}}}) }}"),
        ("RETURN COUNT { MATCH (a) RETURN a }", f"RETURN COUNT {{ MATCH (a{K} {{{P}}}) RETURN a }}"),
        ("CALL { MATCH (a) RETURN a } RETURN a", f"CALL {{ MATCH (a{K} {{{P}}}) RETURN a }} RETURN a"),
        (
            "MATCH (a {x: [(b)-->() | 1]}) RETURN a",
            f"MATCH (a{K} {{{P}, x: [(b{K} {{{P}}})-->({K} {{{P}}}) | 1]}}) RETURN a",
        ),
        # no patterns
        ("RETURN (1 + 2) - (3), size([(4)]), (n.a) < -(n.b)", "RETURN (1 + 2) - (3), size([(4)]), (n.a) < -(n.b)"),
        ("UNWIND [(1)] AS x RETURN {a: (x), b: [x]}", "UNWIND [(1)] AS x RETURN {a: (x), b: [x]}"),
        ("WITH date('2026-01-01') AS d RETURN (d)", "WITH date('2026-01-01') AS d RETURN (d)"),
    ],
)
def test_where_the_project_goes(query: str, expected: str) -> None:
    assert _scoped(query) == _plain(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("MATCH (n) RETURN n", "MATCH (n:(Entity|Activity|Agent) {`project`: n.`project`}) RETURN n"),
        ("MATCH (n:A:B {x: 1}) RETURN n", "MATCH (n:A&B {`project`: n.`project`, x: 1}) RETURN n"),
        ("MATCH () RETURN 1", "MATCH (:(Entity|Activity|Agent)) RETURN 1"),
        ("MATCH (:A:B {x: 1}) RETURN 1", "MATCH (:(A&B)&(Entity|Activity|Agent) {x: 1}) RETURN 1"),
        ("MATCH (IS A|B) RETURN 1", "MATCH (:(A|B)&(Entity|Activity|Agent)) RETURN 1"),
        ("MATCH (:!A WHERE true) RETURN 1", "MATCH (:(!A)&(Entity|Activity|Agent) WHERE true) RETURN 1"),
    ],
)
def test_all_projects_are_no_book_keeping(query: str, expected: str) -> None:
    assert _scoped(query, all_projects=True) == _plain(expected)


def test_the_parameter_is_nobody_else_s() -> None:
    query = "MATCH (n {a: $provgraph_project}) RETURN n.`$provgraph_project`"
    found = scoped(query, tokens(query), ("provgraph_project_",))
    assert found.project not in ("provgraph_project", "provgraph_project_")
    assert f"$`{found.project}`" in found.text


def test_strings_and_comments_are_read_by_one_reader_alone() -> None:
    query = "MATCH (n) // x\r, (m)\n/* (o) */ WHERE n.a = '\\u0027 OR (p)' RETURN n"
    found = scoped(query, tokens(query), ())
    assert "\\" not in found.text
    assert "(m)" not in found.text
    assert found.texts == {"provgraph_text_0": "' OR (p)"}
    assert found.original("n.a = $`provgraph_text_0`") == "n.a = '\\u0027 OR (p)'"


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (n $map) RETURN n",
        "MATCH (n:Entity $map) RETURN n",
        "MATCH (n:$($label)) RETURN n",
        "MATCH (n:$any($labels)) RETURN n",
        "MATCH ()-[r:$($type)]->() RETURN r",
        "MATCH ()-[r:$all($types)]->() RETURN r",
        "MATCH (n:A {a: 1} {b: 2}) RETURN n",
        "MATCH (1 + 2) RETURN 1",
        "MATCH (n.a) RETURN 1",
        "RETURN (MATCH (n) RETURN n)",
        "RETURN [MATCH (n) RETURN n]",
        "WHEN true THEN { MATCH (n) RETURN n }",
        "MATCH (n RETURN n",
        "MATCH (n)) RETURN n",
        "MATCH (n] RETURN n",
        "RETURN " + "(" * 5000 + ")" * 5000,
        "RETURN [(a:Entity" + "|Entity" * 300 + ")-->(b) | b.path]",
        "RETURN [(a)-->(b:Entity" + "|Entity" * 300 + ") | b.path]",
        "RETURN [(a:$any(['Entity']))-->(b) | b.path]",
        "RETURN [(a:Entity $p)-->(b) | b.path]",
    ],
)
def test_what_cannot_be_placed_is_refused(query: str) -> None:
    with pytest.raises(CypherError):
        _prepared(query)


PIECES = [
    *"(){}[]:.,|-<>=*",
    "MATCH",
    "WHERE",
    "RETURN",
    "n",
    "a",
    "EXISTS",
    "COUNT",
    "CALL",
    "$p",
    "1",
    "'x'",
    "shortestPath",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_text_is_placed_or_refused(pieces: list[str]) -> None:
    query = " ".join(pieces)
    try:
        words = tokens(query)
        check(words)
        found = nodes(words)
        text = scoped(query, words, ()).text
    except ProvGraphError:
        return
    # Nothing but the project was put in.
    assert len(found) == text.count("$`provgraph_project`") - text.count("END")
    # Each opening bracket right behind MATCH belongs to one.
    begins = {node.end for node in found}
    for place, token in enumerate(words):
        if token.word == "MATCH" and place + 1 < len(words) and words[place + 1].text == "(" and place == 0:
            assert begins


# -- on the server


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Any) -> Iterator[tuple[Both, Both]]:
    """Two projects with the same runs in one database; the second has more."""
    from neo4j_server import remote_of

    remote = remote_of(neo4j_server)
    with (
        both_stores(tmp_path_factory.mktemp("mine"), remote) as mine,
        both_stores(tmp_path_factory.mktemp("theirs"), remote) as theirs,
    ):
        runs(mine.graph)
        runs(theirs.graph)
        theirs.graph.add({"secret": (["Entity", "Snapshot", "TheirLabel"], {"path": "secret.csv", "their_key": 1})})
        theirs.graph.add(
            {"spy": (["Activity"], {"name": "spy"})}, [("theirRelation", "spy", "secret", {"their_at": 1})]
        )
        of_both = f"of both {mine.graph.store.project}"
        for one in (mine, theirs):
            vertices = {"b": (["Entity", "Snapshot"], {"path": of_both}), "r": (["Activity"], {"name": of_both})}
            one.graph.add(vertices, [("used", "r", "b")])
            one.send()
        yield mine, theirs


FORMS = [
    "MATCH (n) RETURN n.project AS p",
    "MATCH (n:Snapshot) RETURN n.project AS p",
    "MATCH (n {path: 'raw.csv'}) RETURN n.project AS p",
    "MATCH (n:Snapshot {path: 'raw.csv'} WHERE n.sequence = 1) RETURN n.project AS p",
    "MATCH (n WHERE n.path = 'raw.csv') RETURN n.project AS p",
    "MATCH (n IS Snapshot) RETURN n.project AS p",
    "MATCH (n:Snapshot|Person) RETURN n.project AS p",
    "MATCH (n:Entity:Snapshot)<-[]-(m) RETURN m.project AS p",
    "MATCH (n)<-[]-(m) WHERE n:Entity:Snapshot RETURN m.project AS p",
    "MATCH (n:Entity:Snapshot)<-[:used|:wasGeneratedBy]-(m) RETURN m.project AS p",
    "MATCH (n:Entity:Snapshot) WHERE (n)-[:wasGeneratedBy]->() RETURN n.project AS p",
    "MATCH (n) RETURN DISTINCT n.project AS p, n:Entity:Snapshot AS s",
    "MATCH (n:!Person) RETURN n.project AS p",
    "MATCH (n:%) RETURN n.project AS p",
    "MATCH (n:(Snapshot|Person)&!Activity) RETURN n.project AS p",
    "MATCH (:Person)<-[]-(n) RETURN n.project AS p",
    "MATCH ()-[r]->() RETURN startNode(r).project AS p",
    "MATCH ()-[r:used {role: 'training'}]->() RETURN endNode(r).project AS p",
    "MATCH (a:Person {name: 'Bob'}), (n {path: 'raw.csv'}) RETURN n.project AS p",
    "OPTIONAL MATCH (n:Person) RETURN n.project AS p",
    "MATCH q = (a)-[*1..2]->(b) UNWIND nodes(q) AS n RETURN DISTINCT n.project AS p",
    "MATCH q = (a:Person)-[*0..1]-() UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH (a:Person) WITH count(a) AS c MATCH (n) RETURN n.project AS p",
    "MATCH (a:Person) WITH * MATCH (n:Snapshot) RETURN n.project AS p",
    "UNWIND [(n)-[:used]->(m) | n.project] AS p RETURN p",
    "UNWIND [q = (n)-[:used]->() | nodes(q)[0].project] AS p RETURN p",
    "UNWIND [(n:Person)<-[r]-(m) WHERE m.name STARTS WITH 't' | m.project] AS p RETURN p",
    "UNWIND COLLECT { MATCH (n) RETURN n.project } AS p RETURN p",
    "UNWIND COLLECT { MATCH (n:Person) RETURN n.project UNION ALL MATCH (n:Snapshot) RETURN n.project } AS p RETURN p",
    "CALL { MATCH (n) RETURN n } RETURN n.project AS p",
    "CALL () { MATCH (n) RETURN n } RETURN n.project AS p",
    "UNWIND [1] AS x CALL (x) { WITH x AS y MATCH (n) RETURN n } RETURN n.project AS p",
    "UNWIND [1] AS x CALL { WITH x CALL { MATCH (n:Person) RETURN n } RETURN n } RETURN n.project AS p",
    "MATCH (n:Person) RETURN n.project AS p UNION MATCH (m:Snapshot) RETURN m.project AS p",
    "MATCH q = shortestPath((a:Snapshot)-[*]->(b:Agent)) UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH q = allShortestPaths((a:Snapshot)-[*]->(b:Agent)) UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH (a)((x)-[:used]->(y)){1,2}(b) UNWIND x AS n RETURN n.project AS p",
    "MATCH ((x)-[:used]->(y) WHERE x.exit_status = 0){1,2} UNWIND y AS n RETURN n.project AS p",
    "MATCH (a)-[:used|wasGeneratedBy]->{1,3}(b) RETURN b.project AS p",
    "MATCH (a)-[:used|wasGeneratedBy]->+(b) RETURN b.project AS p",
    "MATCH q = ANY SHORTEST (a:Snapshot)-[]->+(b:Snapshot) UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH q = SHORTEST 1 PATHS (a:Snapshot)-[]->+(b:Snapshot) UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH q = ALL SHORTEST (a:Snapshot)-[]->+(b:Person) UNWIND nodes(q) AS n RETURN n.project AS p",
    "MATCH (n {project: n.project}) RETURN n.project AS p",
    "WITH {a: [(n:Person)-[]-() | n.project]} AS m UNWIND m.a AS p RETURN p",
    "MATCH (x:Person) WITH x {.name, l: [(n)-[:used]->() | n.project]} AS m UNWIND m.l AS p RETURN p",
    "MATCH (n:Snapshot {path: 'raw.csv'}) USING INDEX n:Snapshot(path) RETURN n.project AS p",
    "MATCH (`a b`) RETURN `a b`.project AS p",
    "MATCH (match) RETURN match.project AS p",
    "match(n)return n.project as p",
    "MATCH (a:Person)/* , (b) */, (n) // (c)\rRETURN 1\nRETURN n.project AS p",
    "MATCH (a:Person {name: 'Bob'}) MATCH (a)<--(t) MATCH (t)-[:used]->(n)<-[:used]-(o) RETURN o.project AS p",
    "MATCH (n:Person {name: 'Bob'}) WITH n ORDER BY n.name LIMIT 5 RETURN n.project AS p",
    "MATCH (n)-[:wasGeneratedBy]->() WHERE EXISTS { (x:Person) WHERE x.project <> '' } RETURN n.project AS p",
    "CALL db.labels() YIELD label MATCH (n) RETURN n.project AS p",
]


@pytest.mark.parametrize("query", FORMS)
def test_every_form_of_pattern(query: str, two: tuple[Both, Both]) -> None:
    mine, theirs = two
    for one in (mine, theirs):
        assert {p for p, *_ in one.server(query).rows} == {one.graph.store.project}


ANCHORED = [
    "MATCH (n:Snapshot {path: $path}) RETURN n.project AS p",
    "MATCH (n {path: $path}) RETURN n.project AS p",
    "MATCH (n:Snapshot WHERE n.path = $path) RETURN n.project AS p",
    "MATCH ({path: $path})<-[]-(n) RETURN n.project AS p",
    "MATCH q = (:Snapshot {path: $path})-[:used*0..1]-() UNWIND nodes(q) AS n RETURN n.project AS p",
    "UNWIND [(:Snapshot {path: $path})<-[:used]-(n) | n.project] AS p RETURN p",
    "UNWIND COLLECT { MATCH (n:Snapshot {path: $path}) RETURN n.project } AS p RETURN p",
    "CALL { MATCH (n:Snapshot {path: $path}) RETURN n } RETURN n.project AS p",
    "MATCH ((n)-[:used]->(:Snapshot {path: $path})){1,2} UNWIND n AS x RETURN x.project AS p",
    "MATCH q = shortestPath((n:Activity {name: $path})-[*]->(:Snapshot {path: $path})) RETURN n.project AS p",
    "MATCH q = ANY SHORTEST (n:Activity {name: $path})-[]->+(:Snapshot {path: $path}) RETURN n.project AS p",
]


@pytest.mark.parametrize("query", ANCHORED)
def test_without_the_scope_all_would_be_met(query: str, two: tuple[Both, Both]) -> None:
    mine, theirs = two
    path = f"of both {mine.graph.store.project}"
    projects = {mine.graph.store.project, theirs.graph.store.project}
    assert {p for (p,) in mine.team.cypher(query, {"path": path}, all_projects=True).rows} == projects
    for one in two:
        assert {p for (p,) in one.server(query, {"path": path}).rows} == {one.graph.store.project}


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("MATCH (n {path: 'secret.csv'}) RETURN count(n)", 0),
        ("MATCH (n:TheirLabel) RETURN count(n)", 0),
        ("MATCH ()-[r:theirRelation]->() RETURN count(r)", 0),
        ("RETURN EXISTS { (n {path: 'secret.csv'}) }", False),
        ("RETURN EXISTS { MATCH (n) WHERE n.path = 'secret.csv' }", False),
        ("RETURN COUNT { (n:Person) }", 2),
        ("RETURN COUNT { MATCH (n:Person) RETURN n }", 2),
        ("RETURN size([(n)-[:used]->() | 1])", 6),
        ("MATCH (n {project: $theirs}) RETURN count(n)", 0),
        ("MATCH (n {project: $mine}) RETURN count(n)", 14),
        ("MATCH (n {path: 'raw.csv', project: $theirs}) RETURN count(n)", 0),
        ("MATCH (n {project: $theirs, project: $mine}) RETURN count(n)", 0),
        ("MATCH (n) WHERE elementId(n) IN $ids RETURN count(n)", 0),
        ("MATCH (n) WHERE n.uid IN $uids RETURN count(n)", 0),
        ("MATCH (a:Person) WHERE any(p IN [(n)-->() | n.project] WHERE p <> a.project) RETURN count(a)", 0),
        ("CALL db.labels() YIELD label WHERE label = 'TheirLabel' RETURN count(label)", 0),
        ("CALL db.labels() YIELD label WHERE label STARTS WITH 'Provgraph' RETURN count(label)", 0),
        ("CALL db.relationshipTypes() YIELD relationshipType AS t WHERE t = 'theirRelation' RETURN count(t)", 0),
        (
            "CALL db.propertyKeys() YIELD propertyKey AS k WHERE k IN ['their_key', 'their_at', 'of'] RETURN count(k)",
            0,
        ),
        ("MATCH (n:ProvgraphChunk) RETURN count(n)", 0),
        ("MATCH (n) WHERE n:ProvgraphChunk OR n:ProvgraphProject RETURN count(n)", 0),
        ("MATCH (n) WHERE n.data IS NOT NULL RETURN count(n)", 0),
    ],
)
def test_nothing_of_another_project_is_met(query: str, answer: object, two: tuple[Both, Both]) -> None:
    mine, theirs = two
    project = theirs.graph.store.project
    given = {"theirs": project, "mine": mine.graph.store.project, "uids": [theirs.uid("secret")]}
    ids = theirs.server("MATCH (n) RETURN elementId(n)").rows
    given["ids"] = [id for (id,) in ids]
    assert mine.server(query, given).rows == ((answer,),)


def test_vertices_that_have_not_come_yet_are_in_no_project(two: tuple[Both, Both]) -> None:
    _, theirs = two
    theirs.graph.add({"waits": (["Activity"], {"name": "waits"})}, [("used", "waits", "never")])
    theirs.send()
    given = {"uids": [theirs.uid("waits"), theirs.uid("never")]}
    query = "MATCH (n) WHERE n.uid IN $uids RETURN n.uid AS uid"
    for all_projects in (False, True):
        assert theirs.team.cypher(query, given, all_projects=all_projects).rows == ((theirs.uid("waits"),),)


def test_book_keeping_is_never_met(two: tuple[Both, Both]) -> None:
    mine, _ = two
    for pattern in ("(n)", "(n:!Snapshot)", "(n:%)", "(n IS ProvgraphChunk|ProvgraphProject|ProvgraphOrigin)"):
        query = f"MATCH {pattern} WHERE n.of = $project OR n.number IS NOT NULL AND n.data IS NOT NULL RETURN count(n)"
        rows = mine.team.cypher(query, {"project": mine.graph.store.project}, all_projects=True).rows
        assert rows == ((0,),)
    rows = mine.team.cypher("MATCH (:ProvgraphChunk) RETURN count(*)", all_projects=True).rows
    assert rows == ((0,),)


def test_names_of_other_projects_are_not_proposed(two: tuple[Both, Both]) -> None:
    mine, theirs = two
    query = "MATCH (n:TheirLable)-[:theirRelatio]->() RETURN n.their_kye, n.metric_acuracy, n.param_lr"
    assert mine.server(query).notes == (
        "no label `TheirLable`",
        "no relation `theirRelatio`",
        "no property `metric_acuracy`; did you mean `metric_accuracy`?",
        "no property `their_kye`",
    )
    assert "did you mean `TheirLabel`?" in theirs.server(query).notes[0]
    # What others have is as unknown as what nobody has.
    assert mine.server("MATCH (n:TheirLabel) RETURN n.their_key").notes == (
        "no label `TheirLabel`",
        "no property `their_key`",
    )


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_those_of_the_project_alone(seed: int, tmp_path: Any, neo4j_server: Any) -> None:
    """Every question of the differential test, before and after another project with the same names came."""
    from neo4j_server import remote_of

    chance = random.Random(seed)
    remote = remote_of(neo4j_server)
    with both_stores(tmp_path / "mine", remote) as mine, both_stores(tmp_path / "theirs", remote) as theirs:
        history(chance, mine.graph, 8)
        mine.send()
        given = parameters(chance, mine.graph)
        before = [mine.server(query, given) for query in QUESTIONS]
        history(chance, theirs.graph, 12)
        theirs.send()
        for query, one in zip(QUESTIONS, before, strict=True):
            other = mine.server(query, given)
            assert same(sorted(map(list, one.rows), key=repr), sorted(map(list, other.rows), key=repr)), query
            assert one.notes == other.notes
