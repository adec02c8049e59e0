"""Uids."""

import uuid

from provgraph.model.identity import Namespace, digest_uid, uuid7


def test_a_uuid7_sorts_by_time():
    early, late = uuid7(1_700_000_000_000_000_000), uuid7(1_700_000_000_001_000_000)
    assert early < late
    assert uuid.UUID(early).version == 7
    assert uuid.UUID(early).variant == uuid.RFC_4122


def test_uids_in_a_project_are_uuid5_of_its_namespace():
    project = uuid7()
    namespace = Namespace(project)
    assert namespace.person("Alice@Example.org") == str(uuid.uuid5(uuid.UUID(project), "person\0alice@example.org"))
    assert namespace.vertex("o", 3, 1) == str(uuid.uuid5(uuid.UUID(project), "vertex\0o\x003\x001"))


def test_what_differs_has_another_uid():
    namespace = Namespace(uuid7())
    uids = {
        namespace.artifact("a"),
        namespace.artifact("a", "host"),
        namespace.person("a"),
        namespace.version("a"),
        namespace.event("a", 1),
        namespace.vertex("a", 1, 0),
        namespace.edge("used", "a", "b"),
        namespace.edge("used", "a", "b", "inherited"),
        Namespace(uuid7()).artifact("a"),
    }
    assert len(uids) == 9


def test_an_identity_outside_of_any_project_is_the_same_everywhere():
    assert digest_uid("a", "b") == digest_uid("a", "b") != digest_uid("ab")
