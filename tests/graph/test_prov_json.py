"""PROV-JSON and its dialects as graphs: nothing dropped in silence, other people's documents read."""

import json
from pathlib import Path
from typing import Any

import pytest

from provgraph import ProvGraph
from provgraph.errors import InputError

DOCUMENT: dict[str, Any] = {
    "prefix": {"ex": "http://example.org/"},
    "entity": {
        "ex:e1": {"prov:label": "raw data", "ex:rows": {"$": "12", "type": "xsd:int"}, "prov:type": "ex:Table"},
        "ex:e2": [{"ex:tag": "a"}, {"ex:tag": {"$": "b", "type": "xsd:string"}}],
        "ex:c": {"prov:type": {"$": "prov:Collection", "type": "prov:QUALIFIED_NAME"}},
    },
    "activity": {"ex:a1": {"prov:startTime": "2026-11-20T12:00:00Z", "prov:endTime": "2026-11-20T12:01:00Z"}},
    "agent": {
        "ex:ada": {"prov:type": {"$": "prov:Person", "type": "xsd:QName"}, "ex:vip": {"$": "1", "type": "xsd:boolean"}}
    },
    "used": {
        "_:u1": {"prov:activity": "ex:a1", "prov:entity": "ex:e1", "prov:role": {"$": "in", "type": "xsd:string"}},
        "_:u2": {"prov:activity": "ex:a1", "prov:entity": "ex:e1", "prov:role": "also"},
    },
    "wasGeneratedBy": {"ex:g": [{"prov:entity": "ex:e2", "prov:activity": "ex:a1", "prov:time": "2026-11-20"}]},
    "wasAssociatedWith": {"_:w": {"prov:activity": "ex:a1", "prov:agent": "ex:ada", "prov:plan": "ex:plan"}},
    "wasDerivedFrom": {"_:": {"prov:generatedEntity": "ex:e2", "prov:usedEntity": "ex:no", "prov:activity": "ex:a1"}},
    "hadMember": {"_:m": {"prov:collection": "ex:c", "prov:entity": ["ex:e1", "ex:e2"]}},
}  # fmt: skip


def test_a_document_of_everything() -> None:
    graph = ProvGraph.from_prov_json(DOCUMENT)
    assert graph["ex:e1"].properties == {"name": "raw data", "ex:rows": 12, "prov_type": "ex:Table"}
    assert graph["ex:e2"].properties == {"ex:tag": ["a", "b"]}
    assert graph["ex:c"].labels == ("Entity", "Collection")
    assert graph["ex:ada"].labels == ("Agent", "Person")
    assert graph["ex:ada"].properties["ex:vip"] is True
    assert graph["ex:a1"].properties == {"started_at": "2026-11-20T12:00:00Z", "ended_at": "2026-11-20T12:01:00Z"}
    assert {edge.role for edge in graph.out_edges("ex:a1") if edge.type == "used"} == {"in", "also"}
    (generated,) = (edge for edge in graph.edges if edge.type == "wasGeneratedBy")
    assert (generated.uid, dict(generated.properties)) == ("ex:g", {"at": "2026-11-20"})
    (derived,) = (edge for edge in graph.edges if edge.type == "wasDerivedFrom")
    assert derived.properties == {"activity": "ex:a1"}
    assert not derived.uid.startswith("_:")
    assert len([edge for edge in graph.edges if edge.type == "hadMember"]) == 2
    assert graph["ex:no"].labels == ("Entity",)
    assert graph.notes == ("made, since only relations mention it: 1 element",)


def test_a_document_is_known_for_what_it_is() -> None:
    graph = ProvGraph.from_prov_json(DOCUMENT)
    assert ProvGraph.from_json(DOCUMENT) == graph
    assert ProvGraph.from_json(json.dumps(DOCUMENT)) == graph
    assert ProvGraph.from_json(json.dumps(graph.to_json())) == graph


def test_what_cannot_be_had_is_counted() -> None:
    graph = ProvGraph.from_prov_json(
        {
            "entity": {"e": {}, "x": {}},
            "activity": {"x": {}, "a": {}},
            "wasStartedBy": {"_:1": {}, "_:2": [{}, {}]},
            "used": {"_:1": {"prov:activity": "a"}, "_:2": {"prov:activity": "e", "prov:entity": "x"}},
            "bundle": {"b": {"entity": {"inner": {}}, "wasInfluencedBy": {"_:1": {}}}},
        }
    )
    assert graph.uids == ["a", "e", "inner", "x"]
    assert graph.size == 0
    assert graph.notes == (
        "1 wasInfluencedBy left out: the vocabulary has no such relation",
        "3 wasStartedBy left out: the vocabulary has no such relation",
        "left out, since one end is missing: 1 relation",
        "left out, since it joins other kinds than it may: 1 relation",
        "described as two kinds, taken as the first of entity, activity, agent: x",
        "read as part of the graph: 1 bundle",
    )


def test_repeated_relations_are_one_with_all_values() -> None:
    ends = {"prov:activity": "a", "prov:entity": "e"}
    graph = ProvGraph.from_prov_json(
        {"used": {"r1": ends | {"prov:time": "1"}, "r2": [ends | {"prov:time": "2"}, ends]}}
    )
    assert [dict(edge.properties) for edge in graph.edges] == [{"at": ["1", "2"]}]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ({"$": "3", "type": "xsd:int"}, 3),
        ({"$": "many", "type": "xsd:int"}, "many"),
        ({"$": "0.5", "type": "xsd:double"}, 0.5),
        ({"$": "NaN", "type": "xsd:double"}, "NaN"),
        ({"$": "perhaps", "type": "xsd:boolean"}, "perhaps"),
        ({"$": "0", "type": "http://www.w3.org/2001/XMLSchema#boolean"}, False),
        ({"$": "bonjour", "lang": "fr"}, "bonjour"),
        ({"$": 7, "type": "xsd:int"}, 7),
        ([1, True, 1.0], [1, True, 1.0]),
    ],
)
def test_typed_literals(literal: Any, value: Any) -> None:
    graph = ProvGraph.from_prov_json({"entity": {"e": {"ex:x": literal}}})
    assert repr(graph["e"].properties["ex:x"]) == repr(value)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "one object of objects, not a list"),
        ({"entity": []}, '"entity" must be an object'),
        ({"entity": {"e": None}}, 'entity "e" must be an object, not None'),
        ({"entity": {"": {}}}, "an id in \"entity\" must be a string that is not empty, not ''"),
        ({"bundle": {"b": [3]}}, 'bundle "b" must be an object, not 3'),
    ],
)
def test_what_is_none_is_refused_by_name(document: object, says: str) -> None:
    with pytest.raises(InputError) as caught:
        ProvGraph.from_prov_json(document)
    assert says in str(caught.value)


def test_an_empty_document() -> None:
    assert len(ProvGraph.from_prov_json({})) == 0


def test_the_provenance_challenge(shared_testdata: Path) -> None:
    graph = ProvGraph.from_json((shared_testdata / "provenance-challenge-1/pc1.json").read_bytes())
    assert (len(graph), graph.size, graph.notes) == (49, 110, ())
    assert graph.count("Activity") == 15


def test_documents_of_other_people(shared_testdata: Path) -> None:
    found = sorted((shared_testdata / "prov-pkg-tests/json").rglob("*.json"))
    assert len(found) > 300
    for path in found:
        document = json.loads(path.read_bytes())
        graph = ProvGraph.from_json(document)
        described = {
            uid
            for part in (document, *document.get("bundle", {}).values())
            for section in ("entity", "activity", "agent")
            for uid in part.get(section, {})
        }
        assert described <= set(graph.uids), path.name
        assert ProvGraph.from_json(json.dumps(graph.to_json())) == graph, path.name
        assert graph.arrays.edge_count == graph.size
