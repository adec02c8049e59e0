"""What the words of Python's commands tell."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provgraph.ingestors.port import ActivityWords, Moment, Occurrence
from provgraph.ingestors.python_commands import INGESTOR


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "python train.py --lr 0.1 --epochs=5 -e 5 --resume data.csv",
            {"lr": 0.1, "epochs": 5, "e": 5, "resume": True},
        ),
        ("python3.12 -u -W ignore train.py --opt adam -v", {"opt": "adam", "v": True}),
        ("python train.py lr=0.1 +trainer.max-epochs=5 ~seed model=resnet", None),
        ("python -m pkg.train --layers 64 32 --betas 0.9 0.999", {"layers": [64, 32], "betas": [0.9, 0.999]}),
        ("./train.py --no-cuda x.csv --w -1e-3 --shuffle=True", {"no_cuda": True, "w": -0.001, "shuffle": True}),
        ("python train.py --tag a --tag b --n 1 --n x", {"tag": ["a", "b"], "n": ["1", "x"]}),
        ("torchrun --nproc_per_node 2 train.py --lr .5", {"lr": 0.5}),
        ("uv run --with numpy train.py --lr 1", {"lr": 1}),
        ("env SEED=1 nohup python -Wd -mpkg.t --x=", {"x": ""}),
        (
            "python train.py --big 99999999999999999999 --long-name 007",
            {"big": "99999999999999999999", "long_name": "007"},
        ),
        ("python train.py -- --lr 1", {}),
        ("python train.py data/year=2020 http://h/?a=b a==b --9 1", {}),
        ("python -c 'print(1)' --lr 1", {}),
        ("python - --lr 1", {}),
        ("python", {}),
        ("sh -c 'A=1 python train.py --lr 0.1 --data $D > log 2>&1'", {"lr": 0.1}),
        ("bash -c 'python a.py --x 1 --y 2 | ./b.py --x 1 --y 3'", {"x": 1}),
        ("python -m pip install --target x y", {}),
        ("python -m pytest -k name", {}),
    ],
)
def test_parameters(command: str, expected: dict[str, Any] | None, folder: Any) -> None:
    activity = folder.found(INGESTOR, folder.occurrence(command)).get("activity", {})
    if expected is None:
        expected = {"lr": 0.1, "trainer.max_epochs": 5, "model": "resnet"}
    assert {key.removeprefix("param_"): value for key, value in activity.items() if key != "module"} == expected
    assert all(type(activity[f"param_{key}"]) is type(value) for key, value in expected.items())


def test_module(folder: Any) -> None:
    assert folder.found(INGESTOR, folder.occurrence("python -um pkg.train"))["activity"] == {"module": "pkg.train"}
    assert folder.found(INGESTOR, folder.occurrence("python -m pip list"))["activity"] == {"module": "pip"}


def test_other_programs_are_passed_over(folder: Any) -> None:
    assert folder.found(INGESTOR, folder.occurrence("ls --sort size")) == {}


def test_many_words_are_bounded(folder: Any) -> None:
    words = " ".join(f"--o{n}={'x' * 5000}" for n in range(500))
    activity = folder.found(INGESTOR, folder.occurrence(f"python t.py {words}"))["activity"]
    assert len(activity) == 200
    assert max(len(value) for value in activity.values()) == 1000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text(max_size=8) | st.sampled_from(["--", "-m", "-c", "python", "a.py", "--x", "-x", "=", "1"]))
)
def test_any_words(words: list[str], folder: Any) -> None:
    for utility in ("python", "a.py", "torchrun"):
        activity = ActivityWords(argv=(utility, *words), utility=utility)
        folder.found(INGESTOR, Occurrence(Moment.BEFORE, "/", activity))
