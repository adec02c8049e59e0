"""Where files lie."""

import base64
import os

from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingest.places import Places, media_type, shown
from provgraph.model.identity import Namespace, uuid7


def _places(ignore=()):
    return Places(
        "/p", "host", Namespace(uuid7()), lambda path: "project" if path.startswith("/p/") else "external", ignore
    )


@given(st.binary(max_size=20))
def test_a_shown_path_is_text_always(raw):
    text = shown(raw.decode("utf-8", "surrogateescape"))
    text.encode("utf-8")


def test_bytes_that_are_no_utf8_are_kept_beside():
    properties = _places().properties("/p/caf\udce9")
    assert properties["path"] == "caf%E9"
    assert base64.b64decode(properties["path_bytes"]) == b"caf\xe9"
    assert _places().properties("/p/50%") == {"path": "50%"}


def test_names_and_places_are_inverse():
    places = _places()
    for absolute in ("/p/a/b", "/other/c"):
        assert places.absolute(places.name(absolute)) == absolute


def test_a_name_leads_back_to_the_bytes_that_are_on_disk(tmp_path):
    root = str(tmp_path)
    places = Places(root, "host", Namespace(uuid7()), lambda path: "project")
    raw, literal = f"{root}/\udcff\udcfe", f"{root}/50%E9"
    open(os.fsencode(raw), "wb").close()
    open(literal, "wb").close()
    assert [places.absolute(places.name(path)) for path in (raw, literal)] == [raw, literal]
    assert places.absolute("gone%FF") == f"{root}/gone%FF"


def test_the_ignore_file_speaks_as_gitignore_does():
    places = _places(("*.tmp", "!keep.tmp", "/build/", "# comment"))
    assert [places.counts(f"/p/{path}") for path in ("a.tmp", "x/keep.tmp", "build/a", "src/build.py")] == [
        False, True, False, True,
    ]  # fmt: skip


def test_an_artifact_outside_depends_on_the_machine():
    project = uuid7()
    one, other = (Places("/p", host, Namespace(project), lambda path: "external") for host in ("a", "b"))
    assert one.artifact("/data.csv") != other.artifact("/data.csv")
    assert one.artifact("/p/data.csv") == other.artifact("/p/data.csv")


def test_media_types():
    assert media_type("a/b.CSV") == "text/csv"
    assert media_type("model.pkl") == "application/x-pickle"
    assert media_type("Makefile") is None
