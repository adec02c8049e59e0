"""A plug-in is one hook with a signature, and harmless when it breaks."""

import sys
from pathlib import Path

from provgraph.plugins import Plugins, hookimpl


class Good:
    """Knows one command."""

    @hookimpl
    def provgraph_annotate(self, argv, cwd):
        return {"param_lr": 0.1, "names": ("a", "b"), "where": cwd} if argv[0] == "known" else None


class Failing:
    """Raises."""

    @hookimpl
    def provgraph_annotate(self, argv):
        raise RuntimeError("boom")


class Wrong:
    """Returns what is no property."""

    @hookimpl
    def provgraph_annotate(self):
        return {"x": object()}


class Mistaken:
    """Has another signature."""

    @hookimpl
    def provgraph_annotate(self, nonsense):
        return {}


def test_findings_and_failures_stand_side_by_side():
    plugins = Plugins([Good(), Failing(), Wrong()])
    findings = plugins.annotate(["known"], "/w")
    assert [finding.plugin for finding in findings] == ["Good", "Failing", "Wrong"]
    assert findings[0].properties == {"param_lr": 0.1, "names": ["a", "b"], "where": "/w"}
    assert findings[1].error == "RuntimeError: boom"
    assert findings[2].error.startswith("TypeError: provgraph_annotate returned 'x'")
    assert not findings[1].properties
    assert [finding.plugin for finding in plugins.annotate(["other"], "/w")] == ["Failing", "Wrong"]


def test_a_plug_in_with_another_signature_is_left_out():
    plugins = Plugins([Mistaken(), Good()])
    assert [failure.plugin for failure in plugins.failures] == ["Mistaken"]
    assert [finding.plugin for finding in plugins.annotate(["known"], "/")] == ["Good"]


def install(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(body)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[provgraph]\n{name} = {name}\n")


def test_installed_plug_ins_are_loaded_only_where_asked_for(tmp_path, monkeypatch):
    hook = "@hookimpl\ndef provgraph_annotate(argv):\n    return {'n': len(argv)}\n"
    install(tmp_path, "testing_good_plugin", f"from provgraph.plugins import hookimpl\n\n\n{hook}")
    install(tmp_path, "testing_broken_plugin", "raise ImportError('broken')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Plugins().annotate(["a"], "/") == []
    assert "testing_good_plugin" not in sys.modules
    plugins = Plugins(installed=True)
    assert [(f.plugin, f.error) for f in plugins.failures if f.plugin.startswith("testing")] == [
        ("testing_broken_plugin", "ImportError: broken")
    ]
    assert {"n": 2} in [finding.properties for finding in plugins.annotate(["a", "b"], "/")]
