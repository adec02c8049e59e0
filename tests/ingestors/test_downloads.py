"""Which file came from which URL."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.ingestors.downloads import INGESTOR, source_url
from provgraph.ingestors.port import ActivityWords, File, Moment, Occurrence
from provgraph.ingestors.url_globs import UrlGlob, filled

H = "https://h.org"


@pytest.mark.parametrize(
    ("command", "generated", "derived", "used"),
    [
        (f"curl -sSLo data.csv {H}/y.csv", ["data.csv"], {("data.csv", f"{H}/y.csv")}, None),
        (
            f"curl -O {H}/a/b.csv -O {H}/c.csv",
            ["b.csv", "c.csv"],
            {("b.csv", f"{H}/a/b.csv"), ("c.csv", f"{H}/c.csv")},
            None,
        ),
        (f"curl {H}/x", ["redirected.txt"], {("redirected.txt", f"{H}/x")}, None),
        (f"curl {H}/x {H}/y", ["both.txt"], {("both.txt", f"{H}/x"), ("both.txt", f"{H}/y")}, None),
        ("curl h.org/x", ["out"], {("out", "http://h.org/x")}, None),
        (f"curl --dump-header h.txt --output o {H}/z", ["o", "h.txt"], {("o", f"{H}/z")}, None),
        (
            f"curl --remote-name-all --output-dir q {H}/a {H}/b",
            ["q/a", "q/b"],
            {("q/a", f"{H}/a"), ("q/b", f"{H}/b")},
            None,
        ),
        (f"curl --url {H}/a -o x", ["x"], {("x", f"{H}/a")}, None),
        (f"curl -OJ {H}/a?b=1", ["named.csv"], {("named.csv", f"{H}/a?b=1")}, None),
        (f"wget -q {H}/a.csv", ["a.csv"], {("a.csv", f"{H}/a.csv")}, None),
        (f"wget -O z {H}/a {H}/b", ["z"], {("z", f"{H}/a"), ("z", f"{H}/b")}, None),
        (f"wget -P d {H}/a%20b -o l.log", ["d/a b", "l.log"], {("d/a b", f"{H}/a%20b")}, None),
        (f"wget -r {H}/", ["h.org/index.html", ".wget-hsts"], {("h.org/index.html", f"{H}/")}, None),
        (f"nohup wget {H}/", ["index.html"], {("index.html", f"{H}/")}, None),
        (f"bash -c 'curl -so a {H}/x && wget -q {H}/y'", ["a", "y"], {("a", f"{H}/x"), ("y", f"{H}/y")}, None),
        (f"curl -O {H}/[8-10].csv", ["8.csv", "10.csv"], {("8.csv", f"{H}/8.csv"), ("10.csv", f"{H}/10.csv")}, 3),
        (f"curl -o '#1-#2' {H}/{{a,b}}[07-08]", ["a-08", "b-07"], {("a-08", f"{H}/a08"), ("b-07", f"{H}/b07")}, 4),
        (f"curl -o '#1' h.org/[a-c:2] {H}/y -o y", ["c", "y"], {("c", "http://h.org/c"), ("y", f"{H}/y")}, 3),
        (f"curl -o one {H}/{{a,b}}", ["one"], {("one", f"{H}/b")}, 2),
        (f"curl {H}/{{a,b}}", ["out"], {("out", f"{H}/a"), ("out", f"{H}/b")}, None),
        (f"curl -o '#1' {H}/{{a,b}}", ["#1"], set(), 2),
        (f"curl -g -o '#1' {H}/{{a,b}}", ["#1"], {("#1", f"{H}/{{a,b}}")}, None),
        (f"curl file:///x -o x {H}/y -o y", ["x", "y"], {("y", f"{H}/y")}, None),
        ("curl -O http://[::1]:80/{a,b}", ["a"], {("a", "http://[::1]:80/a")}, 2),
        (f"curl -T f {H}/up", [], None, None),
        ("curl file:///etc/passwd -o z", ["z"], None, None),
        ("curl 'http://[::1' -o z", ["z"], None, None),
        ("curl --version", [], None, None),
    ],
)
def test_derived(
    command: str, generated: list[str], derived: set[tuple[str, str]] | None, used: int | None, folder: Any
) -> None:
    found = folder.found(INGESTOR, folder.occurrence(command, generated=generated))
    edges = [(edge["type"], edge["source"], edge["target"]["key"]) for edge in found.get("edges", ())]
    assert {(end["path"], url) for relation, end, url in edges if relation == "wasDerivedFrom"} == (derived or set())
    sources = {url for _, url in derived or ()}
    told = {url for relation, end, url in edges if relation == "used" and end == "activity"}
    assert sources <= told
    assert len(told) == (len(sources) if used is None else used)
    assert [one["properties"] for one in found.get("vertices", ())] == [
        {"path": key} for key in dict.fromkeys(one["key"] for one in found.get("vertices", ()))
    ]


PATTERNS = [
    ("{a,b}[08-11]", "#1.#2"),
    ("[a-e:2]x", "#1#2#0#12"),
    ("{a,}[1-3:2]", "k#2#1"),
    ("[0-10:5][]", "#1"),
    ("\\{a\\}", "#1"),
    ("[1-1]{a\\,b,c}", "#1-#2"),
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("pattern", "output"), PATTERNS)
def test_patterns_are_what_curl_takes_them_for(pattern: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    expanded = list(UrlGlob(f"file://{tmp_path}/in/x{pattern}"))
    for url, _ in expanded:
        Path(url.removeprefix("file://")).write_text(url)
    words = ["curl", "-sS", f"file://{tmp_path}/in/x{pattern}", "-o", f"got-{output}"]
    subprocess.run(words, cwd=tmp_path, check=True)
    found = {path.name: path.read_text() for path in tmp_path.glob("got-*")}
    assert found == {filled(f"got-{output}", values): url for url, values in expanded}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("pattern", ["{}", "{a", "a}", "[b-a]", "[a-b:2]", "[1-2:0]", "{a,{b}}", "[x]", "[1-z]"])
def test_what_curl_refuses_is_noted(pattern: str, tmp_path: Path, folder: Any) -> None:
    words = ["curl", "-s", f"file://{tmp_path}/{pattern}"]
    assert subprocess.run(words, check=False, capture_output=True).returncode == 3
    found = folder.found(INGESTOR, folder.occurrence(f"curl {H}/{pattern} -o o", generated=["o"]))
    assert "edges" not in found
    (note,) = found["notes"]
    assert "which curl refuses" in note


def test_a_pattern_of_very_many_urls(folder: Any) -> None:
    line = f"curl -O {H}/[1-999999999]/[1-999999999]/x.csv"
    found = folder.found(INGESTOR, folder.occurrence(line, generated=["x.csv"]))
    assert len(found["vertices"]) == 200
    assert found["notes"] == ["only 200 of 999,999,998,000,000,001 URLs are recorded as sources"]
    assert {edge["type"] for edge in found["edges"]} == {"used"}  # which of them the file is, is not known


def test_of_several_in_one_file_nothing_is_said_where_curl_failed(folder: Any) -> None:
    occurrence = folder.occurrence(f"curl -f -o one {H}/{{a,b}}", generated=["one"])
    failed = replace(occurrence, activity=replace(occurrence.activity, exit_status=22))
    assert {edge["type"] for edge in folder.found(INGESTOR, failed)["edges"]} == {"used"}


def test_credentials_and_secrets(folder: Any) -> None:
    assert source_url("https://me:p4ss@h.org:8080/a?token=abcdef123&x=1") == "https://h.org:8080/a?token=<scrubbed>&x=1"
    assert source_url("https://me@h.org/a") == "https://h.org/a"
    assert source_url("notes.txt") == "http://notes.txt"  # what curl would ask for
    assert source_url("/a/b.c") == source_url("x") == source_url("s3://b/k") == ""


def test_messages_are_no_downloads(folder: Any) -> None:
    for line in (f"curl {H}/x > a 2> e.txt", f"curl -o a {H}/x 2>e.txt"):
        found = folder.found(INGESTOR, folder.occurrence(f"bash -c '{line}'", generated=["a", "e.txt"]))
        derived = [edge for edge in found["edges"] if edge["type"] == "wasDerivedFrom"]
        assert [edge["source"]["path"] for edge in derived] == ["a"]
        assert derived[0]["properties"] == {"prov_type": "PrimarySource"}


def test_what_failed_used_nothing(folder: Any) -> None:
    occurrence = folder.occurrence(f"curl {H}/x")
    failed = replace(occurrence, activity=replace(occurrence.activity, exit_status=6))
    assert set(folder.found(INGESTOR, failed)) == {"schema"}


def test_what_others_make_of_a_download_is_not_said_to_be_derived(folder: Any) -> None:
    found = folder.found(INGESTOR, folder.occurrence(f"sh -c 'curl -s {H}/x | ./train > model'", generated=["model"]))
    assert [edge["type"] for edge in found["edges"]] == ["used"]


def test_method(folder: Any) -> None:
    found = folder.found(INGESTOR, folder.occurrence(f"curl -X post {H}/q -d @in -o out", generated=["out"]))
    assert found["activity"] == {"http_method": "POST"}
    several = f"sh -c 'curl -X PUT {H}/a -o out; curl -X POST {H}/b -o out'"
    assert "activity" not in folder.found(INGESTOR, folder.occurrence(several, generated=["out"]))
    same = f"sh -c 'curl -X PUT {H}/a -o out; curl -X put {H}/b -o out; curl {H}/c -o out'"
    found = folder.found(INGESTOR, folder.occurrence(same, generated=["out"]))
    assert found["activity"] == {"http_method": "PUT"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.text(max_size=8)
        | st.sampled_from(["-o", "-O", "{", "[1-3]", "--url", f"{H}/a", f"{H}/a b", "http://[", "x", "-P"])
    ),
    paths=st.lists(st.sampled_from(["x", "a", "index.html", "d/e"]), max_size=3),
)
def test_any_words(words: list[str], paths: list[str], folder: Any) -> None:
    for utility in ("curl", "wget"):
        activity = ActivityWords(argv=(utility, *words), utility=utility, cwd="/p")
        folder.found(INGESTOR, Occurrence(Moment.AFTER, "/p", activity, (), tuple(File(p, f"/p/{p}") for p in paths)))
