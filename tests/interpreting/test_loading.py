"""Where ingestors come from."""

from provgraph.session.interpreting.ingesting import ingestors_of, load
from provgraph.stores import open_store
from provgraph.stores.config import Config

PLUGIN = """
from provgraph.ingestors.port import Match, Moment
from provgraph.plugins import hookimpl

class One:
    name, version, description, moment, match = "offered", "1", "", Moment.AFTER, Match(utility="x")

    def ingest(self, occurrence):
        return None

class Other(One):
    name, ingest = "lazy", None

@hookimpl
def provgraph_ingestors():
    return [One(), Other(), object()]
"""


def install(folder, name, body):
    (folder / f"{name}.py").write_text(body)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[provgraph]\n{name} = {name}\n")


def test_entry_points_bring_them_where_the_store_is_trusted(tmp_path, monkeypatch):
    install(tmp_path, "testing_ingestors_plugin", PLUGIN)
    install(tmp_path, "testing_ingestors_broken", PLUGIN.replace("[One()", "[1 / 0, One()"))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "offered" not in [one.name for one in load(str(tmp_path), Config(), trusted=False).ingestors]
    loaded = load(str(tmp_path), Config(), trusted=True)
    assert loaded.sources["offered"] == "entry point testing_ingestors_plugin"
    assert "lazy" not in loaded.sources
    errors = {one.where: one.error for one in loaded.failures if "broken" in one.where}
    assert errors == {"entry point testing_ingestors_broken": "ZeroDivisionError: division by zero"}
    assert len([one for one in loaded.failures if one.where.endswith("testing_ingestors_plugin")]) == 2
    disabled = load(str(tmp_path), Config(disabled_ingestors=("offered",)), trusted=True)
    assert "offered" not in disabled.sources


def test_those_of_a_project(lab):
    lab.ingestor("mine", "")
    with open_store(str(lab.root), write=False) as store:
        store.trusted = True
        assert "mine" in [one.name for one in ingestors_of(store)]
