"""The First Provenance Challenge: our tour run for real, its nine answers; and the graph that others published."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provgraph import ProvGraph, segment


@pytest.fixture(scope="module")
def tour(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, str]]:
    """The folder of the tour, and the answer to each question."""
    folder = tmp_path_factory.mktemp("challenge")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [checkout / "examples/provenance_challenge/run.sh", folder / "run"],
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n--- standard error\n{done.stderr}"
    answers = {}
    for part in done.stdout.split("\n# ")[1:]:
        number, _, rest = part.partition(". ")
        if number.isdigit():
            answers[int(number)] = rest.partition("\n$ ")[2].partition("\n")[2].strip()
    return folder / "run" / "fmri", answers


def test_everything_that_led_to_the_graphic(tour: tuple[Path, dict[int, str]]) -> None:
    said = tour[1][1]
    assert said.splitlines()[-1].startswith("43 vertices: 37 direct"), "11 activities and 26 entities, and who ran them"
    for name in ("convert", "slicer", "softmean", *["reslice"] * 4, *["align_warp"] * 4, "reference.img@1 (source)"):
        assert name in said
    assert "atlas-y" not in said and "bin/" not in said


def test_what_came_after_the_resliced_images(tour: tuple[Path, dict[int, str]]) -> None:
    said = tour[1][2]
    assert said.count("wasGeneratedBy") == 4 and "align_warp" not in said  # softmean twice, for atlas.hdr and atlas.img
    assert said.splitlines()[-1].startswith("19 vertices: 15 direct")


def test_rows(tour: tuple[Path, dict[int, str]]) -> None:
    _, answers = tour
    rows = {number: [line.split() for line in answers[number].splitlines()[1:]] for number in (3, 4, 5, 6, 8, 9)}
    assert [row[0] for row in rows[3]] == ["convert", "slicer", "softmean"]
    assert [row[-1] for row in rows[4]] == ["1999-11-22T10:00:00+00:00"]
    assert rows[5] == [["atlas-x.gif"], ["atlas-y.gif"], ["atlas-z.gif"]]
    assert rows[6] == [["atlas.hdr"], ["atlas.img"]]
    assert rows[8] == [["warp2.warp", "1"], ["warp2.warp", "2"]]
    assert rows[9] == [["atlas-x.gif", "speech", "yes"]]


def test_differences_of_the_two_runs(tour: tuple[Path, dict[int, str]]) -> None:
    said = tour[1][7]
    assert "+ pgmtoppm #" in said and "convert" in said and "pnmtojpeg" in said
    only_first, _, only_second = said.partition("Only with atlas-x.jpg")
    assert "atlas-x.ppm@1" in only_second and "atlas-x.ppm@1" not in only_first.partition("Only with")[2]


def test_the_answers_are_the_graphs(tour: tuple[Path, dict[int, str]], make_provdb: Callable[..., Any]) -> None:
    document = make_provdb(tour[0]).json("segment", "--to", "atlas-x.gif", "--exclude", "path ~ bin/*")
    direct = [v["labels"][0] for v in document["vertices"] if v["why"] == "direct"]
    assert (direct.count("Activity"), direct.count("Entity")) == (11, 26)


def test_the_published_graph(shared_testdata: Path) -> None:
    """Question 1 on the graph that ProvToolbox publishes: the counts that others give."""
    file = shared_testdata / "provenance-challenge-1" / "pc1.json"
    graph = ProvGraph.from_json(json.loads(file.read_text()))
    (graphic,) = [v.uid for v in graph if v.uid.endswith(("e28", "pc1:e28"))]
    led = segment(graph, destinations=[graphic])
    found = [v.kind.value for v in led if led.why(v.uid) == "direct" and v.uid != graphic]
    assert (found.count("Activity"), found.count("Entity")) == (11, 26)
