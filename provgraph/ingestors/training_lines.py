"""One line of a training log: which epoch and step it is about, and which measurements it holds.

Known are ``epoch 3 loss 0.21``, ``step=100 loss=0.3 lr=1e-3``, ``Epoch [1/5], Step [100/600], Loss: 0.1``, the
progress bars of Keras and tqdm, JSON, the dicts of Python (``{'loss': 0.2}``), ``[10] train-rmse:0.48`` of XGBoost,
``[10] valid_0's l2: 0.24`` of LightGBM.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from provgraph.ingestors.training_words import HINT, qualifier, word

_NUMBER: Final = r"[-+]?(?:\d{1,3}(?:,\d{3}){1,5}\.\d{1,30}|\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:e[-+]?\d{1,3})?"
_NO_NUMBER: Final = r"[-+]?(?:nan|inf(?:inity)?)\b"
_ENDS: Final = r"(?![\w/])(?!\.\d)(?!,\d)"
"""What follows a value. Of ``1,234`` and ``0,5`` nobody knows whether it is one number or two, nor which."""
_COUNT: Final = r"(\d{1,15})(?:\s{0,5}(?:/|of)\s{0,5}(\d{1,15}))?(?!\d)(?!\.\d)"
_BEFORE: Final = r"['\"]?\s{0,5}[:=#]?\s{0,5}[\[(]?\s{0,5}"
_EPOCH: Final = re.compile(rf"(?<![\w-])epochs?(?:\(\w{{1,10}}\))?{_BEFORE}{_COUNT}")
_STEP: Final = re.compile(
    rf"(?<![\w-])(?:global[_ ]?step|steps?|iter(?:ation)?s?|batch|num_updates|updates?|round)\b{_BEFORE}{_COUNT}"
)
_ROUND: Final = re.compile(r"\[(\d{1,15})\]\s")
_POSITION: Final = re.compile(r"\[\s{0,9}(\d{1,15})\s{0,5}/\s{0,5}(\d{1,15})\s{0,5}(?:\([\d.]{1,9}%\))?\s{0,5}\]")
_BAR: Final = re.compile(r"%\|[^|\n]{0,400}\|\s{0,9}(\d{1,15})/(\d{1,15})\s{0,5}\[")
_BAR_FIRST: Final = re.compile(r"\s{0,9}(\d{1,15})/(\d{1,15})(?=\s)")
_PAIR: Final = re.compile(
    rf"(?<![\w.@/-])(?P<name>[a-z][\w.@/-]{{0,60}})['\"]?"
    rf"(?:\s{{0,5}}(?<![=!<>])(?P<sign>=(?!=)|:(?!:))(?P<space>\s{{0,9}})"
    rf"(?P<value>{_NUMBER}|{_NO_NUMBER})(?:/(?P<whole>\d{{1,15}}))?"
    rf"|\s{{1,5}}(?P<bare>{_NUMBER}|{_NO_NUMBER})){_ENDS}"
)
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]{0,20}[a-z]")


@dataclass(slots=True)
class Reading:
    """What a line says. ``inner`` and ``total`` count within an epoch, or over all. ``bar``: it is a progress bar."""

    epoch: int | None = None
    inner: int | None = None
    total: int | None = None
    bar: bool = False
    values: dict[str, float] = field(default_factory=dict)
    measures: set[str] = field(default_factory=set)
    """Names among ``values`` that are measures by their words; the others stand beside these."""


def read_line(line: str) -> Reading | None:
    """What a line says; None where it is no line of a training log. Cost: some µs."""
    text = line.lower()
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    has_measure, epoch = HINT.search(text), _EPOCH.search(text) if "epoch" in text else None
    if not has_measure and epoch is None:
        return None
    reading = Reading() if epoch is None else Reading(int(epoch[1]))
    _count(text, reading)
    if has_measure:
        _take_pairs(text, reading)
    return reading


def _count(text: str, reading: Reading) -> None:
    """Find the step: of a progress bar, by name, or by its place."""
    bar = _BAR_FIRST.match(text) or (_BAR.search(text) if "%|" in text else None)
    found = bar or _STEP.search(text) or (_POSITION.search(text) if reading.epoch is not None else None)
    if found is None and reading.epoch is None:
        found = _ROUND.match(text)
    if found is not None:
        reading.bar = bar is not None
        reading.inner = int(found[1])
        reading.total = int(found[2]) if found.re.groups > 1 and found[2] else None


def _take_pairs(text: str, reading: Reading) -> None:
    """Names with their values, where there is a measure among them; of a name that is said twice, the first."""
    for found in _PAIR.finditer(text):
        bare = found["bare"]
        this = word(found["name"], qualifier(text, found.start()))
        if this.name in reading.values or not (this.measure or this.rate or (this.told and not bare)):
            continue
        written, whole = bare or found["value"], found["whole"]
        if bare and bare.lstrip("+-")[0] in "ni" and this.measure < 2:
            continue
        is_measure = this.measure == 2 or (
            this.measure == 1 and (whole is not None or not written.lstrip("+-").isdigit())
        )
        if is_measure:
            reading.measures.add(this.name)
        elif not this.rate and (bare or (found["sign"] == ":" and not found["space"])):
            continue  # host:8080, 12:30
        value = float(written.replace(",", ""))
        reading.values[this.name] = value / int(whole) if whole and int(whole) else value
    if not reading.measures:
        reading.values.clear()
