"""Names in training logs: which of them name a measure, and what they are called in the graph."""

import functools
import re
from typing import Final, NamedTuple

_MEASURES: Final = frozenset(
    "loss acc accuracy top1 top5 top f1 auc auroc auprc mae mse rmse mape rmsle logloss mlogloss nll elbo kl ppl "
    "perplexity bpc bpb bleu rouge wer cer iou miou map ap dice precision recall reward psnr ssim fid ndcg mrr".split()
)
_DECIMAL_MEASURES: Final = frozenset(["error", "merror", "err", "score", "cost", "objective", "l1", "l2"])
"""Measures where the value has a decimal point: `error: 2` is a code."""
_ENDINGS: Final = ("loss", "acc", "accuracy")
"""Of words that are written together: `valloss`."""
_RATES: Final = frozenset(["lr", "learningrate", "gradnorm", "gnorm"])
_SETTINGS: Final = frozenset("weight weights fn function type scale coef coefficient threshold name".split())
_COUNTS: Final = frozenset(
    "epoch epochs step steps iter iteration iterations batch update updates round time eta elapsed date seed pid rank "
    "gpu port num version id it size memory mem line".split()
)
_SOURCE: Final = re.compile(r"\.(?:py|pyx|c|cc|cpp|cu|h|go|rs|java|js|ts|sh|r|jl|lua)\Z")
_QUALIFIER: Final = re.compile(
    r"\b(train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev|average|avg|mean|\w{1,30}'s)(?:[ _]set:?)?\s{1,5}\Z"
)
_QUALIFIED: Final = 40

_ANY: Final = "|".join(sorted(_MEASURES | _DECIMAL_MEASURES, reverse=True))
HINT: Final = re.compile(rf"(?:{_ANY})[\w./@'\"-]{{0,60}}\s{{0,5}}[:=]?\s{{0,9}}[-+.\dni]")
"""Found in every line, in small letters, that may hold a measure."""


class Word(NamedTuple):
    """A name as the graph has it.

    Attributes:
        measure: 2 where it names a measure, 1 where it does if the value has a decimal point.
        rate: a learning rate, the norm of a gradient.
        told: whether its value is worth telling beside a measure's: no counter, no time, no place in a source.
    """

    name: str
    measure: int
    rate: bool
    told: bool


def qualifier(text: str, at: int) -> str:
    """The word before a name that belongs to it (`train` in `train loss`, `valid_0's l2`); "" where there is none."""
    if at < 2 or not text[at - 1].isspace():
        return ""
    found = _QUALIFIER.search(text[max(0, at - _QUALIFIED) : at])
    return found[1].removesuffix("'s") if found else ""


@functools.lru_cache(maxsize=4096)
def word(written: str, of: str) -> Word:
    """What a name is.

    Parameters:
        written: in small letters. of: its `qualifier`.
    """
    name = re.sub(r"\W+", "_", f"{of}_{written}" if of else written).strip("_")
    parts = name.split("_")
    words = {*parts, *(part.rstrip("0123456789") for part in parts)}
    words |= {ending for part in parts for ending in _ENDINGS if part.endswith(ending)}
    last, is_source = parts[-1], _SOURCE.search(written) is not None
    measure = 0 if is_source or last in _SETTINGS else 2 if words & _MEASURES else 1 if words & _DECIMAL_MEASURES else 0
    rate = name in _RATES or name.replace("_", "") in _RATES
    return Word(name, measure, rate, not is_source and last not in _COUNTS and last not in _SETTINGS)
