"""``--svg``, ``--dot`` and ``--mermaid``: what they write, where to, and how they end."""

import json
import os
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_samples import Sample, ladder

Run = Callable[..., Any]


@pytest.fixture
def ask(sample: Sample, provdb: Run) -> Run:
    """``provdb`` in the sample project."""
    return provdb


def test_svg_is_a_file_and_nothing_is_printed(ask: Run, place: Path) -> None:
    done = ask("lineage", "model.pkl", "--svg", "lineage.svg")
    assert done.stdout == ""
    text = (place / "lineage.svg").read_text(encoding="utf-8")
    assert "model.pkl@2" in (ET.fromstring(text).findtext("{http://www.w3.org/2000/svg}desc") or "")
    assert ask("lineage", "model.pkl", "--svg", "-").stdout == text
    assert [path.name for path in place.glob("*.svg")] == ["lineage.svg"]


def test_an_svg_file_is_replaced_whole(ask: Run, place: Path) -> None:
    (place / "real.svg").write_text("old " * 100_000)
    (place / "real.svg").chmod(0o640)
    (place / "link.svg").symlink_to("real.svg")
    ask("lineage", "model.pkl", "--svg", "link.svg")
    assert (place / "link.svg").is_symlink()
    assert (place / "real.svg").read_text().endswith("</svg>\n")
    assert stat.S_IMODE((place / "real.svg").stat().st_mode) == 0o640
    assert not list(place.glob(".provdb-*"))


def test_a_new_svg_file_has_the_mode_that_the_umask_leaves(ask: Run, place: Path) -> None:
    mask = os.umask(0o027)
    try:
        ask("lineage", "model.pkl", "--svg", "new.svg")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((place / "new.svg").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--svg", "nowhere/x.svg"], "nowhere is no folder, so nowhere/x.svg cannot be written; `mkdir -p nowhere`"),
        (["--svg", "."], ". is a folder; --svg needs the name of a file"),
        (["--svg", ""], "--svg needs the name of a file"),
        (["--svg", "x.svg", "--json"], "--json and --svg are different answers; ask for one at a time"),
        (["--dot", "--mermaid"], "--dot and --mermaid are different answers"),
    ],
)
def test_what_cannot_be_drawn_is_refused(ask: Run, place: Path, words: list[str], says: str) -> None:
    done = ask("lineage", "model.pkl", *words, check=2)
    assert says in done.stderr and done.stdout == ""
    assert not (place / "x.svg").exists()


def test_dot_and_mermaid_are_printed(ask: Run) -> None:
    dot = ask("lineage", "model.pkl", "--dot").stdout
    assert dot.startswith("digraph provenance {\n") and 'label="train.py #5\\nBob"' in dot
    mermaid = ask("lineage", "model.pkl", "--mermaid").stdout
    assert mermaid.startswith("flowchart RL\n") and "train.py #35;5<br/>by Bob" in mermaid


def test_ways_are_drawn_in_one_picture(ask: Run) -> None:
    dot = ask("lineage", "--path", "metrics.json", "raw.csv", "--dot").stdout
    assert 'label="metrics.json to raw.csv"' in dot
    assert dot.count('label="prepare.py #1') == 1 and "train.py #5" not in dot
    done = ask("lineage", "--path", "model.pkl@2", "metrics.json", "--svg", "-", check=1)
    assert done.stdout == "" and "no way leads" in done.stderr
    limited = ask("lineage", "--path", "metrics.json", "raw.csv", "--limit", "1", "--dot")
    assert "not every way is drawn" in limited.stderr


def test_every_answer_that_is_a_graph_can_be_drawn(ask: Run) -> None:
    segment = ask("segment", "--from", "raw.csv", "--to", "model.pkl", "--svg", "-").stdout
    assert "How model.pkl@" in segment and "destination" in segment
    summary = ask("summarize", "--to", "model.pkl@*", "--mermaid").stdout
    assert "in all 2" in summary
    compared = ask("compare", "--lineage", "model.pkl@1", "model.pkl@2", "--svg", "-").stdout
    assert "only second" in compared
    for printed in (segment, compared):
        ET.fromstring(printed)


def test_over_two_hundred_vertices_a_summary_is_drawn_and_says_so(provdb: Run, tmp_path: Path) -> None:
    graph = ladder(4).to_json()
    for number in range(300):
        graph["vertices"].append(
            {"uid": f"x{number}", "labels": ["Entity", "Snapshot"], "properties": {"path": "x", "sequence": number}}
        )
        graph["edges"].append({"type": "used", "source": "a4", "target": f"x{number}", "properties": {}})
    (tmp_path / "large.json").write_text(json.dumps(graph))
    done = provdb("lineage", "e4a", "--graph", str(tmp_path / "large.json"), "--svg", "-")
    said = "vertices are too many for a picture: this is a summary of them"
    assert said in done.stderr and "×300" in done.stdout
    assert said in " ".join(element.text or "" for element in ET.fromstring(done.stdout).iter())


def test_of_what_no_summary_makes_smaller_the_nearest_part_is_drawn(provdb: Run, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text(json.dumps(ladder(150).to_json()))
    done = provdb("lineage", "e150a", "--graph", str(tmp_path / "deep.json"), "--dot")
    assert "450 vertices are too many" in done.stderr and "drawn are the 100 nearest" in done.stderr
    assert '"e150a@1"' in done.stdout and '"e1a@1"' not in done.stdout and "450 vertices" in done.stdout
    shallow = provdb("lineage", "e150a", "--graph", str(tmp_path / "deep.json"), "--depth", "20", "--mermaid")
    assert shallow.stderr == "" and '"e131a@1"' in shallow.stdout
