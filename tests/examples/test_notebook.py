"""The example notebook, run for real: from a download over cells to a committed model."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("sklearn", reason="the example needs scikit-learn: scripts/environment.sh demo")
pytest.importorskip("nbconvert", reason="the example needs nbconvert and ipykernel: scripts/environment.sh test")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the example needs curl")
def test_from_a_download_over_cells_to_a_committed_model(
    checkout: Path, tmp_path: Path, make_provdb: Callable[..., Any]
) -> None:
    home = tmp_path / "caller"
    home.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [checkout / "examples/notebook/run.sh", tmp_path / "example"],
        env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n--- standard error\n{done.stderr}"
    assert not list(home.iterdir()), "the example touched the user's own HOME"
    work = tmp_path / "example/work"
    ask = make_provdb(work, HOME=str(tmp_path / "example/home"))

    vertices = {vertex["uid"]: vertex for vertex in ask.json("lineage", "model.joblib")["vertices"]}
    paths = [vertex["properties"].get("path", "") for vertex in vertices.values()]
    names = [vertex["properties"].get("name", "") for vertex in vertices.values() if "Activity" in vertex["labels"]]
    assert any(path.startswith("http://127.0.0.1:") and path.endswith("/flowers.csv") for path in paths)
    assert {"model.joblib", "flowers.csv", "flowers.ipynb:model", "flowers.ipynb:flowers"} <= set(paths)
    assert any(name.startswith("train #") for name in names)
    assert any(name.startswith("curl #") for name in names)
    committed = ask.rows(
        "MATCH (v:Version {kind: 'explicit'})-[:hadMember]->(s:Snapshot {path: 'model.joblib'}) RETURN v.message"
    )
    assert committed == [["A first model"]]

    document = nbformat.read(work / "flowers.run.ipynb", as_version=4)
    shown = {cell.source: cell.outputs for cell in document.cells if cell.cell_type == "code"}
    for line in ("%provdb lineage model.joblib", "%provdb lineage flowers.ipynb:model"):
        (output,) = shown[line]
        assert output.data["image/svg+xml"].lstrip().startswith("<svg")
    assert "flowers.csv@1" in shown["%provdb lineage model.joblib"][0].data["image/svg+xml"]
    (table,) = next(outputs for source, outputs in shown.items() if source.startswith("%%provdb cypher"))
    assert "sklearn.linear_model.LogisticRegression" in table.data["text/html"]
    assert all(output.output_type != "error" for outputs in shown.values() for output in outputs)
    assert "image/svg+xml" in (work / "flowers.html").read_text()
