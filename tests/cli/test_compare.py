"""``provdb compare`` on projects with real commands, and on the sample project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from graph_samples import Sample

import provgraph
from provgraph.schemas import schema

Run = Callable[..., Any]

TRAIN = """\
import json, struct, sys
config = json.load(open(sys.argv[1]))
rows = open("data.csv").read().splitlines()[1:]
total = sum(float(row.split(",")[1]) for row in rows)
open("model.bin", "wb").write(struct.pack("<dd", total, config["lr"]))
"""


@pytest.fixture
def trained(project: Path, provdb: Any) -> Any:
    """Two trainings: between them the configuration and the data change, the second is told by another word."""
    (project / "train.py").write_text(TRAIN)
    (project / "config.json").write_text('{"lr": 0.1, "layers": [64, 64], "seed": 1}\n')
    (project / "data.csv").write_text("id,value\n1,10\n2,20\n3,30\n")
    provdb("python3", "train.py", "config.json")
    provdb("annotate", "%1", "metric_loss=0.5")
    (project / "config.json").write_text('{"lr": 0.2, "layers": [64, 128], "seed": 1}\n')
    (project / "data.csv").write_text("id,value,unit\n1,10,m\n3,31,m\n4,40,m\n")
    provdb("sh", "-c", "cat data.csv > /dev/null")
    provdb("python3", "-B", "train.py", "config.json")
    provdb("annotate", "%1", "metric_loss=0.25")
    return provdb


def document(ask: Any, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask("compare", *words, "--json").stdout)
    jsonschema.validate(found, schema("comparison"), cls=jsonschema.Draft202012Validator)
    return found


def test_a_configuration_by_its_values(trained: Any) -> None:
    out = trained("compare", "config.json@1", "config.json@2").stdout
    assert "≠ lr         0.1 → 0.2" in out and "≠ layers[1]  64 → 128" in out and "seed" not in out
    assert out.startswith("- config.json@1  (Snapshot, ")
    assert "sha256" not in out and "size_bytes" not in out, "said by the content"


def test_a_table_by_its_rows_and_cells(trained: Any) -> None:
    out = trained("compare", "data.csv@1", "data.csv").stdout
    assert "3 rows (matched by id): 1 added, 1 removed, 1 changed" in out
    assert "+ column unit" in out and "≠ id 3, value: 30 → 31" in out
    assert "- 2, 20" in out and "+ 4, 40, m" in out


def test_a_binary_by_its_size(trained: Any) -> None:
    done = trained("compare", "model.bin@1", "model.bin@2")
    assert "binary: 16 bytes | 16 bytes, SHA-256 " in done.stdout
    assert "--lineage compares what the two came from" in done.stderr
    found = document(trained, "model.bin@1", "model.bin@2")
    assert found["both"][0]["content"]["form"] == "binary"


def test_two_runs(trained: Any) -> None:
    out = trained("compare", "%3", "%1").stdout
    assert "≠ command  python3 {+-B+} train.py config.json" in out
    assert "0.25" in next(line for line in out.splitlines() if "metric_loss" in line)
    assert "× 0.5" in out and "started_at" not in out
    used = out[out.index("\nused\n") : out.index("\ngenerated\n")]
    assert "≠ config.json@1 | config.json@2" in used and "≠ lr" in used
    assert "train.py@1" in next(line for line in used.splitlines() if line.startswith("  = "))
    assert "started_at" in trained("compare", "%3", "%1", "--all").stdout


def test_two_lineages(trained: Any) -> None:
    out = trained("compare", "model.bin@1", "model.bin@2", "--lineage").stdout
    different, same = out.split("= in both: ")
    assert different.count("config.json@1 | config.json@2") == 1
    assert different.index("config.json@1") < different.index("train.py") < different.index("≠ model.bin@1")
    elsewhere = next(line for line in same.splitlines() if line.startswith("= in both, in another place: 4 ("))
    assert "config.json@1" in elsewhere and "data.csv@1" in elsewhere and "Only with" not in out
    found = document(trained, "model.bin@1", "model.bin@2", "--lineage")
    names = {(pair["first"]["name"], pair["second"]["name"]) for pair in found["both"]}
    assert ("config.json@1", "config.json@2") in names and ("model.bin@1", "model.bin@2") in names
    assert found["edges_only_first"] == found["edges_only_second"] == [], "those of vertices that only one has"


def test_the_python_twin(trained: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    with provgraph.open(trained.root) as project:
        for words, lineage in ((("%3", "%1"), False), (("model.bin@1", "model.bin@2"), True)):
            found = project.compare(*words, lineage=lineage)
            assert found.differs
            flags = ["--lineage"] if lineage else []
            assert json.loads(json.dumps(found.to_json())) == document(trained, *words, *flags)
        pure = provgraph.compare(project.lineage("model.bin@1"), project.lineage("model.bin@2"))
        assert len(pure.both) == len(project.compare("model.bin@1", "model.bin@2", lineage=True).both)


def test_graphs_from_files(trained: Any, tmp_path: Path) -> None:
    for number in (1, 2):
        graph = trained("lineage", f"model.bin@{number}", "--json").stdout
        (tmp_path / f"{number}.json").write_text(graph)
    files = str(tmp_path / "1.json"), str(tmp_path / "2.json")
    inside = trained("compare", "--graphs", *files).stdout
    assert "≠ lr" in inside, "in the project its store has the contents"
    outside = trained("compare", "--graphs", *files, cwd=tmp_path).stdout
    assert "≠ config.json@1 | config.json@2" in outside and "only digests are compared" in outside
    piped = trained("compare", "--graphs", files[0], "-", cwd=tmp_path, input=Path(files[1]).read_text()).stdout
    assert piped == outside
    one = trained("compare", "config.json@1", "model.bin@1", "--graph", files[0], cwd=tmp_path).stdout
    assert "only digests are compared" in one


def test_versions(trained: Any) -> None:
    rows = trained.rows("MATCH (v:Version) RETURN v ORDER BY v.created_at")
    uids = [row[0]["uid"] for row in rows]
    found = document(trained, uids[0], uids[-1])
    assert ["config.json@1", "config.json@2"] in found["members"]["changed"]
    assert found["members"]["removed"] == []
    assert "≠ config.json@1 | config.json@2" in trained("compare", uids[0], uids[-1]).stdout


@pytest.mark.parametrize("columns", ["40", "60", "100"])
def test_it_is_readable_in_few_columns(trained: Any, columns: str) -> None:
    for words in (["%3", "%1"], ["model.bin@1", "model.bin@2", "--lineage"], ["data.csv@1", "data.csv"]):
        lines = trained("compare", *words, "--width", columns).stdout.splitlines()
        wide = [line for line in lines if len(line) > int(columns) and "python3" not in line]
        assert not wide


def test_bytes_that_are_gone(trained: Any) -> None:
    for file in (trained.root / ".provdb/objects").glob("*/*"):
        file.unlink()
    out = trained("compare", "config.json@1", "config.json@2").stdout
    assert "contents differ: 43 bytes | 44 bytes" in out and "are not in this store" in out


# -- the sample project


@pytest.fixture
def ask(sample: Sample, provdb: Run) -> Run:
    """``provdb`` in the sample project."""
    return provdb


def test_text_contents_are_a_diff(ask: Any) -> None:
    out = ask("compare", "config.yaml@1", "config.yaml@2").stdout
    assert any(line.startswith("@@ -1") for line in out.splitlines())
    assert "wasGeneratedBy\n  + unrecorded change of config.yaml" in out


def test_the_same_twice(ask: Any) -> None:
    done = ask("compare", "model.pkl", "model.pkl@2")
    assert "They are one vertex; nothing differs." in done.stdout
    assert document(ask, "model.pkl", "model.pkl@2")["differs"] is False


def test_pictures(ask: Any, tmp_path: Path) -> None:
    assert ask("compare", "model.pkl@1", "model.pkl@2", "--lineage", "--mermaid").stdout.startswith("flowchart")
    assert ask("compare", "%1", "%3", "--dot").stdout.startswith("digraph")
    ask("compare", "model.pkl@1", "model.pkl@2", "--lineage", "--svg", str(tmp_path / "c.svg"))
    assert (tmp_path / "c.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "two things are compared, not 0"),
        (["model.pkl"], "two things are compared, not 1"),
        (["a", "b", "c"], "not 3"),
        (["model.pkl", "nothing"], "nothing recorded is called 'nothing'"),
        (["model.pkl", "*.pkl@*"], "names 2 vertices"),
        (["%1", "%99"], "there is no command %99"),
        (["model.pkl@1", "model.pkl@2", "--depth", "1"], "add --lineage"),
        (["--graphs", "a.json", "b.json"], "a.json cannot be read"),
        (["--graphs", "-", "-"], "only one of the two"),
        (["model.pkl", "--graphs", "a.json", "b.json"], "leave references"),
        (["model.pkl", "model.pkl", "--graph", "a.json"], "a.json cannot be read"),
    ],
)
def test_wrong_questions(ask: Any, words: list[str], said: str) -> None:
    done = ask("compare", *words, check=2)
    assert said in done.stderr and done.stdout == ""


def test_colour_never_stands_alone(ask: Any) -> None:
    """The text without its colours is the text."""
    plain = ask("compare", "config.yaml@1", "config.yaml@2").stdout
    assert "\x1b" not in plain
    marks = {line.strip()[0] for line in plain.splitlines() if line.strip()}
    assert {"-", "+"} <= marks
