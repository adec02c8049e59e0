"""Series from training logs: what programs really print, and what only looks like it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestor_samples import file, occurrence, series

from provgraph.ingestors import training_log
from provgraph.ingestors.port import Findings, Following, Ingestor, Moment
from provgraph.ingestors.training_lines import read_line
from provgraph.ingestors.training_log import INGESTORS, TrainingSeries
from provgraph.schemas import validator

LOG, OUTPUT, LIVE = INGESTORS


def found(text: str, piece: int = 7) -> dict[str, list[tuple[int, Any]]]:
    """The series of a log that comes in pieces."""
    reader, data = TrainingSeries(), text.encode("utf-8", "replace")
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece])
    reader.feed(b"")
    findings = Findings()
    reader.tell(findings, "activity")
    validator("findings")(findings.to_json())
    return series(findings.to_json())


def keras(epochs: int = 3) -> str:
    """Progress that is written over, as Keras 2 prints it."""
    parts = []
    for epoch in range(1, epochs + 1):
        bars = [f"{step}/10 [==>...] - ETA: 1s - loss: {1 / step:.3f} - acc: 0.{step}" for step in range(1, 11)]
        end = f"10/10 [======] - 2s 20ms/step - loss: {1 / epoch:.3f} - acc: 0.{epoch} - val_loss: {2 / epoch:.3f}\n"
        parts.append(f"Epoch {epoch}/{epochs}\n" + "\r".join(bars) + "\b" * 60 + end)
    return "".join(parts)


def tqdm(label: str, epochs: range) -> str:
    def bar(epoch: int, step: int) -> str:
        shown = f"{step * 10:3}%|{'█' * step:10}| {step}/10 [00:01<00:02,  1.20it/s"
        return f"{label.format(epoch)}{shown}, loss={1 / (epoch + step):.3f}]"

    return "".join("\r".join(bar(epoch, step) for step in (1, 5, 10)) + "\n" for epoch in epochs)


MNIST = "".join(
    "".join(f"Train Epoch: {e} [{n * 640}/60000 ({n}%)]\tLoss: {1 / (e + n):.4f}\n" for n in range(2))
    + f"\nTest set: Average loss: {1 / e:.4f}, Accuracy: {9000 + e}/10000 (98%)\n\n"
    for e in (1, 2)
)

KNOWN: dict[str, tuple[str, dict[str, list[tuple[int, Any]]]]] = {
    "plain": ("epoch 3 loss 0.21\nepoch 4 loss 0.2\n", {"loss": [(3, 0.21), (4, 0.2)]}),
    "pairs": (
        "step=100 loss=0.3 lr=1e-3\nstep=200 loss=0.2 lr=1e-4\n",
        {"loss": [(100, 0.3), (200, 0.2)], "lr": [(100, 0.001), (200, 0.0001)]},
    ),
    "no numbers": (
        "epoch 1 loss 0.5\nepoch 2 loss nan acc -inf\nepoch 3 loss inf acc 0.25\n",
        {"loss": [(1, 0.5), (2, "NaN"), (3, "Infinity")], "acc": [(2, "-Infinity"), (3, 0.25)]},
    ),
    "thousands": ("Epoch 1 - loss: 1,234.5\nEpoch 2 - loss: 1,100.5\n", {"loss": [(1, 1234.5), (2, 1100.5)]}),
    "commas that may be points": ("epoch 1 loss 0,5 acc 1\nepoch 2 loss 1,234 acc 2\n", {"acc": [(1, 1.0), (2, 2.0)]}),
    "colons": ("step 100: loss=0.3\nstep 200: loss=nan\n", {"loss": [(100, 0.3), (200, "NaN")]}),
    "columns": (
        "Epoch 1 | train loss 0.3 | val acc 90.5% | 3s\nEpoch 2 | train loss 0.2 | val acc 91% | 3s\n",
        {"train_loss": [(1, 0.3), (2, 0.2)], "val_acc": [(1, 90.5), (2, 91.0)]},
    ),
    "keras": (keras(2), {"loss": [(1, 1.0), (2, 0.5)], "acc": [(1, 0.1), (2, 0.2)], "val_loss": [(1, 2.0), (2, 1.0)]}),
    "keras, one line": (
        "Epoch 1/2\n9/9 - 2s - loss: 0.5 - 2s/epoch\nEpoch 2/2\n9/9 - 2s - loss: 0.4 - 2s/epoch\n",
        {"loss": [(1, 0.5), (2, 0.4)]},
    ),
    "keras 3": (
        "".join(
            f"Epoch {n}/2\n\x1b[1m9/9\x1b[0m \x1b[32m━━━\x1b[0m \x1b[1m2s\x1b[0m 9ms/step - loss: 0.{6 - n}\n"
            for n in (1, 2)
        ),
        {"loss": [(1, 0.5), (2, 0.4)]},
    ),
    "tqdm over epochs": (tqdm("Epoch {}: ", range(2)), {"loss": [(0, 0.1), (1, 0.091)]}),
    "tqdm": (tqdm("", range(1)), {"loss": [(1, 1.0), (5, 0.2), (10, 0.1)]}),
    "tqdm, twice": (
        tqdm("", range(2)),
        {"loss": [(1, 1.0), (5, 0.2), (10, 0.1), (11, 0.5), (15, 0.167), (20, 0.091)]},
    ),
    "mnist": (
        MNIST,
        {
            "loss": [(0, 1.0), (640, 0.5), (60000, 0.5), (60640, 0.3333)],
            "average_loss": [(1, 1.0), (2, 0.5)],
            "accuracy": [(1, 0.9001), (2, 0.9002)],
        },
    ),
    "both counts": (
        "".join(f"Epoch [{e}/2], Step [{n}/10], Loss: {e / n}\n" for e in (1, 2) for n in (5, 10)),
        {"loss": [(5, 0.2), (10, 0.1), (15, 0.4), (20, 0.2)]},
    ),
    "mmdetection": (
        "".join(
            f"Epoch [1][{n}/100]  lr: 2.000e-03, eta: 1:02:03, time: 0.{n}, loss_rpn: {n / 100}, loss: {n / 10}\n"
            for n in (50, 100)
        ),
        {"loss_rpn": [(50, 0.5), (100, 1.0)], "loss": [(50, 5.0), (100, 10.0)]},
    ),
    "dicts": (
        "".join(str({"loss": 1 / n, "learning_rate": n / 1000, "epoch": n / 2}) + "\n" for n in (1, 2, 4)),
        {"loss": [(0, 1.0), (1, 0.5), (2, 0.25)], "learning_rate": [(0, 0.001), (1, 0.002), (2, 0.004)]},
    ),
    "json": ('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.4}\n', {"loss": [(1, 0.5), (2, 0.4)]}),
    "xgboost": (
        "[0]\ttrain-rmse:0.5\teval-rmse:0.6\n[1]\ttrain-rmse:0.4\teval-rmse:0.5\n",
        {"train_rmse": [(0, 0.5), (1, 0.4)], "eval_rmse": [(0, 0.6), (1, 0.5)]},
    ),
    "lightgbm": (
        "[100]\ttraining's l2: 0.2\tvalid_1's l2: 0.3\n[200]\ttraining's l2: 0.1\tvalid_1's l2: 0.25\n",
        {"training_l2": [(100, 0.2), (200, 0.1)], "valid_1_l2": [(100, 0.3), (200, 0.25)]},
    ),
    "scikit-learn": ("Iteration 1, loss = 2.5\nIteration 2, loss = 2.25\n", {"loss": [(1, 2.5), (2, 2.25)]}),
    "without steps": (
        "loss=0.5 acc=0.1\nloss=0.4 acc=0.2\nloss=0.3 acc=0.3\n",
        {"loss": [(0, 0.5), (1, 0.4), (2, 0.3)], "acc": [(0, 0.1), (1, 0.2), (2, 0.3)]},
    ),
    "beside a measure": (
        "step 1 loss=1 kind=3 entropy=0.5\nstep 2 loss=2 kind=3 entropy=0.4\n",
        {"loss": [(1, 1.0), (2, 2.0)], "entropy": [(1, 0.5), (2, 0.4)]},
    ),
    "logging": (
        "".join(f"2026-11-20 12:00:0{n},123 INFO train: epoch {n} loss {n / 2}\n" for n in (1, 2)),
        {"loss": [(1, 0.5), (2, 1.0)]},
    ),
    "places in the source": (
        "".join(f"train.py:{n}: epoch {n} port:80{n} loss {n}\n" for n in (1, 2)),
        {"loss": [(1, 1.0), (2, 2.0)]},
    ),
    "resumed": (
        "step 10 loss 0.5\nstep 20 loss 0.4\nstep 10 loss 0.45\n",
        {"loss": [(10, 0.5), (20, 0.4), (10, 0.45)]},
    ),
    "many batches of few epochs": (
        "".join(f"epoch {1 + n // 20} loss {n}\n" for n in range(40)),
        {"loss": [(1 + n // 20, float(n)) for n in range(40)]},
    ),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_what_programs_print(name: str, piece: int) -> None:
    text, expected = KNOWN[name]
    assert found(text, piece) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a=1\nb=2\na=3\na=4\n",
        "loss=0.5\n",
        "epoch 1 loss 0.5\n",
        "loss=1\nloss=1\nloss=1\nloss=1\n",
        "optimizer: adam\nlr: 0.1\nloss: mse\nepochs: 10\nprecision: 16\n",
        "Step 1/3 : FROM python:3.12\nStep 2/3 : ENV A=1\nStep 3/3 : ENV A=2\n",
        "Collecting numpy==1.26\n  Downloading numpy-1.26.whl (1/3)\nstep 2 size=3\nstep 3 size=4\n",
        "64 bytes from 1.1.1.1: icmp_seq=1 ttl=55 time=0.3 ms\n64 bytes from 1.1.1.1: icmp_seq=2 ttl=55 time=0.4 ms\n",
        "epoch 1: error 2\nepoch 2: error 3\n",
        "3 packets transmitted, 3 received, 0% packet loss, time 2003ms\n" * 3,
        "In epoch 3 of history, loss of 5 ships; in epoch 4, of 6.\n",
        "GET /loss?step=1 200\nGET /loss?step=2 200\n",
        "iteration 1\niteration 2\niteration 3\n",
        "".join(f"I0521 18:48:52.5 1 solver.cpp:228] Iteration {n}, loss = {n}\n" for n in range(3)),
        "host loss:8080 at 12:30\nhost loss:8081 at 12:31\n",
        "train.py:12: epoch 1\ntrain.py:13: epoch 2\n",
        "loss_weight: 1\nloss_weight: 0.3\nloss_weight: 0.1\n",
        "loss: 1 before\nand loss: 2 then\nwith loss: 3 after\nloss: 4\n",
    ],
)  # fmt: skip
def test_what_is_no_training(text: str) -> None:
    assert found(text) == {}


def test_real_text_of_this_project_holds_no_series(checkout: Path) -> None:
    pages = [*checkout.glob("*.md"), *checkout.glob("docs/*.md")]
    pages = [page for page in pages if page.stem != "series" and not page.stem.startswith("ingestors")]
    assert {page.name: names for page in pages if (names := found(page.read_text(), 10_000))} == {}


def test_a_log_is_read_when_the_command_has_ended(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {"out/train.log": KNOWN["plain"][0]})
    assert isinstance(LOG, Ingestor)
    assert LOG.match.explain(given) == "it generated out/train.log"
    document = LOG.ingest(given)
    assert series(document) == KNOWN["plain"][1]
    assert document is not None
    assert document["series"][0]["of"] == "activity"
    assert LOG.match.explain(occurrence(tmp_path, None, {"train.log": "x"})) == ""


def test_of_an_appended_log_the_new_part_is_read(tmp_path: Path) -> None:
    old = "epoch 1 loss 1\nepoch 2 loss 2\n"
    given = occurrence(tmp_path, {"a.log": old + "epoch 3 loss 3\nepoch 4 loss 4\n"}, before=old, role="appended")
    assert series(LOG.ingest(given)) == {"loss": [(3, 3.0), (4, 4.0)]}


def test_of_two_logs_the_second_keeps_its_series_to_itself(tmp_path: Path) -> None:
    logs: dict[str, str | bytes] = dict.fromkeys(("a.log", "b.log"), KNOWN["plain"][0])
    document = LOG.ingest(occurrence(tmp_path, logs))
    assert document is not None
    assert [(one["of"], one["name"]) for one in document["series"]] == [
        ("activity", "loss"),
        ({"path": "b.log"}, "loss"),
    ]


def test_the_parts_of_a_rotated_log_are_one(tmp_path: Path) -> None:
    def part(*epochs: int) -> str:
        return "".join(f"epoch {epoch} loss {1 / epoch}\n" for epoch in epochs)

    numbers: dict[str, str | bytes] = {f"a.log.{n}": part(12 - n) for n in range(1, 12)}
    numbers["a.log"] = part(12)
    document = LOG.ingest(occurrence(tmp_path, numbers))
    assert series(document) == {"loss": [(epoch, 1 / epoch) for epoch in range(1, 13)]}
    assert document is not None
    assert document["series"][0]["of"] == "activity"
    days: dict[str, str | bytes] = {
        "a.log.2026-01-01": part(2), "a.log": part(3), "b.out.1": part(1), "b.out": part(2), "a.log.2025-12-31": part(1)
    }  # fmt: skip
    document = LOG.ingest(occurrence(tmp_path, days))
    assert document is not None
    assert [(one["of"], one["steps"]) for one in document["series"]] == [
        ("activity", [1, 2, 3]),
        ({"path": "b.out"}, [1, 2]),
    ]
    assert series(OUTPUT.ingest(occurrence(tmp_path, numbers))) == {}


def test_what_an_earlier_command_wrote_to_a_rotated_log_is_not_read_again(tmp_path: Path) -> None:
    old, older = "epoch 1 loss 1\nepoch 2 loss 2\n", "epoch 0 loss 0.5\n"
    given = occurrence(tmp_path, {"a.log": "epoch 4 loss 4\n"}, before=old)
    parts = (
        file(tmp_path, "a.log.1", old + "epoch 3 loss 3\n", before=older),
        file(tmp_path, "a.log.2", older),
        *given.generated,
    )
    assert series(LOG.ingest(replace(given, generated=parts))) == {"loss": [(3, 3.0), (4, 4.0)]}
    again = tuple(file(tmp_path, path, data, before=data) for path, data in (("b.log.1", older), ("b.log", old)))
    assert series(LOG.ingest(replace(given, generated=again))) == {"loss": [(0, 0.5), (1, 1.0), (2, 2.0)]}


def test_the_output_of_a_whole_job_is_passed_over(tmp_path: Path) -> None:
    (outside,) = occurrence(tmp_path, {"job": KNOWN["plain"][0]}).generated
    outside = replace(outside, path=str(tmp_path / "job"))
    given = occurrence(tmp_path, {"results.txt": KNOWN["tqdm"][0]})
    for passed_over in (
        replace(outside, role="appended"),
        replace(outside, size_bytes=0),
        replace(outside, content=None),
    ):
        document = OUTPUT.ingest(replace(given, generated=(passed_over, *given.generated)))
        assert document == OUTPUT.ingest(given)
    assert series(OUTPUT.ingest(replace(given, generated=(outside,)))) == KNOWN["plain"][1]


@pytest.mark.parametrize(
    ("command", "fires"),
    [
        ("python train.py", True),
        ("python -m train --lr 0.1", True),
        ("./pretrain_bert.sh", True),
        ("xgboost conf", True),
        ("python src/fit_model.py", True),
        ("python restrain.py", False),
        ("python a.py --constraint x", False),
        ("sort trains.txt", False),
        ("outfit", False),
    ],
)
def test_other_output_is_read_of_training_commands_alone(tmp_path: Path, command: str, fires: bool) -> None:
    given = occurrence(
        tmp_path, {"results.txt": KNOWN["plain"][0], "model.bin": b"\0epoch 1 loss 2\n"}, command=command
    )
    assert bool(OUTPUT.match.explain(given)) == fires
    if fires:
        assert series(OUTPUT.ingest(given)) == KNOWN["plain"][1]


def test_what_the_log_has_the_other_output_does_not_say_again(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {"a.log": KNOWN["plain"][0], "copy.txt": KNOWN["plain"][0]})
    document = OUTPUT.ingest(given)
    assert document is not None
    assert [one["of"] for one in document["series"]] == [{"path": "copy.txt"}]


def test_a_log_is_followed(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {"a.log": ""})
    assert isinstance(LIVE, Following)
    assert LIVE.moment is Moment.DURING
    follower = LIVE.follow(given, given.generated[0])
    pieces = [b"epoch 1 loss 0.5\n", b"epoch 2 lo", b"ss 0.25\n", b"epoch 3 loss 0.2\n", b""]
    told = [series(follower.feed(piece)).get("loss", []) for piece in pieces]
    assert told == [[], [], [(1, 0.5), (2, 0.25)], [(3, 0.2)], []]


def test_too_many_points_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "POINTS", 3)
    lines = "".join(f"step {n} {' '.join(f'loss{m}=1' for m in range(9))}\n" for n in range(9))
    document = LOG.ingest(occurrence(tmp_path, {"a.log": lines}))
    assert document is not None
    assert {len(points) for points in series(document).values()} == {3}
    assert any("loss0 has more than 3 points" in note for note in document["notes"])
    more = "".join(f"step {n} {' '.join(f'loss{m}=1' for m in range(20))}\n" for n in range(9))
    document = LOG.ingest(occurrence(tmp_path, {"a.log": more}))
    assert document is not None
    assert sum(map(len, series(document).values())) <= 30
    assert "a.log: it has more than 30 points; the others are left out" in document["notes"]


def test_bytes_that_nobody_has_are_said(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {"a.log": "x"})
    (tmp_path / "a.log").unlink()
    document = LOG.ingest(given)
    assert document is not None
    assert document["notes"][0].startswith("a.log: ")
    assert file(tmp_path, "b.log", "x").content


PARTS = st.lists(st.sampled_from([
    "epoch 1 ", "Epoch 2/3\n", "step=3 ", "loss=0.5 ", "loss: nan ", "acc 1e9 ", "\n", "\r", "\b\b", "10%|█ | 1/9 [",
    "3/9 - ", "[5] ", "[1/2] ", "{'loss': 1}", "\x1b[0m", "loss=1/0 ", "9" * 40, "loss=" + "9" * 40, "\x00", "ä",
]) | st.text(max_size=8), max_size=30)  # fmt: skip


@given(PARTS, st.integers(1, 50))
def test_no_text_breaks_it(parts: list[str], piece: int) -> None:
    found("".join(parts), piece)


@given(st.text(max_size=200))
def test_no_line_breaks_it(line: str) -> None:
    read_line(line)


@pytest.mark.parametrize(
    "part",
    ["a", "a ", "1/1 ", "[ ", "a=1 ", "loss ", "epoch  ", "\x1b[", "%|", " ", "0.1.1", "a-", "'\"", "loss=", "[1/"],
)
def test_a_long_line_takes_linear_time(part: str) -> None:
    """Some 100,000 characters would take hours if it were quadratic with a large factor, or worse."""
    read_line(part * (100_000 // len(part)))
