"""Names that exist nowhere are told beside the answer."""

from typing import Any

import pytest

from provgraph.stores.cypher import CypherCache
from provgraph.stores.cypher.mentions import mentions
from provgraph.stores.cypher.tokens import tokens


@pytest.fixture(scope="module")
def runs(shared_graph: Any) -> Any:
    shared_graph.add(
        {
            "a": (["Activity", "Command"], {"name": "train", "metric_accuracy": 0.9, "param_lr": 0.1}),
            "e": (["Entity", "Snapshot"], {"path": "x", "my key": 1, "info_json": "{}"}),
        },
        [("used", "a", "e", {"role": "in"})],
    )
    return shared_graph


@pytest.mark.parametrize(
    ("query", "hints"),
    [
        ("MATCH (a) WHERE a.acuracy > 0.5 RETURN a", ("no property `acuracy`; did you mean `metric_accuracy`?",)),
        ("MATCH (a) RETURN a.Path", ("no property `Path`; did you mean `path`?",)),
        ("MATCH (a) RETURN a.inof", ("no property `inof`; did you mean `info_json`?",)),
        ("MATCH (a) RETURN a.zzzz", ("no property `zzzz`",)),
        ("MATCH (a:Comand {lr: 1}) RETURN a", (
            "no label `Comand`; did you mean `Command`?", "no property `lr`; did you mean `param_lr`?",
        )),
        ("MATCH (a) WHERE a:Snapshoot RETURN a", ("no label `Snapshoot`; did you mean `Snapshot`?",)),
        ("MATCH ()-[r:Used|wasGeneratedby*]->() RETURN r", (
            "no relation `Used`; did you mean `used`?",
            "no relation `wasGeneratedby`; did you mean `wasGeneratedBy`?",
        )),
        ("MATCH (a) RETURN a['acuracy']", ("no property `acuracy`; did you mean `metric_accuracy`?",)),
        ("MATCH (a) RETURN a {.nam}", ("no property `nam`; did you mean `name`?",)),
        # all fine
        ("MATCH (a:Agent:Person)<-[:wasAttributedTo]-(e:Version) RETURN a.email, e.commit", ()),
        ("WITH duration('P1D') AS d MATCH (a) RETURN a.started_at.year, a.uid, d.days", ()),
        ("WITH {lr: 1} AS m MATCH (a) WHERE a.param_lr = m.lr RETURN m.lr", ()),
        ("UNWIND $rows AS r RETURN r.anything", ()),
        ("MATCH (e)<-[r:used {role: 'in'}]-() RETURN e.`my key`, r.at, size(e.path)", ()),
        ("MATCH (a) RETURN 'a.acuracy', {x: a.name, y: [1][0]} // a.acuracy", ()),
        ("MATCH (a) RETURN [x IN labels(a) WHERE x <> 'Nope' | x][0..1]", ()),
        ("CALL db.labels() YIELD label RETURN label", ()),
    ],
)  # fmt: skip
def test_hints(query: str, hints: tuple[str, ...], runs: Any, shared_cache: CypherCache) -> None:
    assert shared_cache.run(query, {"rows": [{"anything": 1}]}).notes == hints


@pytest.mark.parametrize(
    ("query", "every", "keys"),
    [
        ("MATCH (n) RETURN n.path", False, {"path"}),
        ("MATCH (n {a: 1})-[r {b: 2}]->({c: 3}) RETURN n.`d e`", False, {"a", "b", "c", "d e"}),
        ("MATCH (n) RETURN n['x']", False, {"x"}),
        ("MATCH (n) WHERE n.path IN ['x', 'y'] RETURN [1, 2]", False, {"path"}),
        ("MATCH (n) RETURN n.argv[0], n.argv[1..2], n.argv[-1]", False, {"argv"}),
        ("MATCH (n) RETURN n[$k]", True, set()),
        ("MATCH (n) RETURN n['a' + 'b']", True, set()),
        ("MATCH (n) RETURN n [n.k]", True, {"k"}),
        ("MATCH (n) RETURN keys(n)", True, set()),
        ("MATCH (n) RETURN Properties (n)", True, set()),
        ("MATCH (n) RETURN n {.*}", True, set()),
        ("MATCH (n) RETURN n {.path, x: n.y}", False, {"path", "x", "y"}),
        ("MATCH (n:Entity $p) RETURN n", True, set()),
        ("MATCH (n) WHERE (n)-[:used*1..3]->() RETURN head(collect(n)).name", False, {"name"}),
        ("MATCH p = ()-[*]->() RETURN nodes(p)[0].name", False, {"name"}),
    ],
)
def test_which_keys_a_query_can_touch(query: str, every: bool, keys: set[str]) -> None:
    found = mentions(tokens(query), {"k": "x", "p": 1})
    assert found.every_key == every
    assert found.keys == keys
