"""The capture method is tried once and remembered."""

import json
import sys

import pytest

from provgraph.client import settings
from provgraph.client.settings import method, read_settings, write_settings


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".provdb").mkdir()
    return str(tmp_path)


class Trial:
    """Counts how often it is made."""

    def __init__(self, result):
        self.result, self.count = result, 0

    def __call__(self):
        self.count += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize(("result", "expected"), [(True, "seccomp"), (False, "stat"), (OSError("no"), "stat")])
def test_tried_once(root, monkeypatch, result, expected):
    monkeypatch.setattr(sys, "platform", "linux")
    trial = Trial(result)
    assert [method(root, trial, environ={}) for _ in range(3)] == [expected] * 3
    assert trial.count == 1


def test_tried_again_elsewhere(root, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    trial = Trial(True)
    method(root, trial, environ={})
    monkeypatch.setattr(settings, "circumstances", lambda: "another kernel")
    method(root, trial, environ={})
    assert trial.count == 2


def test_what_the_environment_says_and_other_systems(root, monkeypatch):
    trial = Trial(True)
    assert method(root, trial, environ={"PROVDB_CAPTURE": "stat"}) == "stat"
    assert method(root, trial, environ={"PROVDB_CAPTURE": "strace"}) == "strace"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert method(root, trial, environ={"PROVDB_CAPTURE": "nonsense"}) == "stat"
    assert trial.count == 0


def test_other_settings_are_kept(root, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert write_settings(root, unsupervised=["mine"], scrub=["x+"])
    method(root, Trial(True), environ={})
    with open(f"{root}/.provdb/capture.json") as file:
        assert json.load(file) == read_settings(root)
    assert read_settings(root)["unsupervised"] == ["mine"]
    assert read_settings(root)["method"] == "seccomp"


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_damaged_settings_are_none(root, text):
    with open(f"{root}/.provdb/capture.json", "w", encoding="latin-1") as file:
        file.write(text)
    assert read_settings(root) == {}


def test_a_store_that_cannot_be_written(tmp_path):
    assert not write_settings(str(tmp_path / "absent"), method="stat")
    assert method(str(tmp_path / "absent"), Trial(False), environ={}) == "stat"
