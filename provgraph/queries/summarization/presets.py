"""What stays of a vertex and how far its provenance type looks: the presets, and what a caller may ask for instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from provgraph.errors import QuestionError
from provgraph.model.vocabulary import Kind

Keep = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Knobs:
    """``keep`` has all three kinds as keys, capitalized; each with its property keys in the order given, none twice."""

    keep: Mapping[str, tuple[str, ...]]
    hops: int
    resolution: str | None
    """The preset, None where a knob was turned to something else."""

    def to_json(self) -> dict[str, Any]:
        """For a summary's query."""
        kept = {kind.lower(): list(keys) for kind, keys in self.keep.items() if keys}
        return {"keep": kept, "hops": self.hops, "resolution": self.resolution}


PRESETS: Final[Mapping[str, tuple[Mapping[str, tuple[str, ...]], int]]] = MappingProxyType(
    {
        "coarse": ({"activity": ("utility", "script")}, 0),
        "medium": ({"activity": ("utility", "script"), "entity": ("path",), "agent": ("name",)}, 0),
        "fine": ({"activity": ("utility", "script"), "entity": ("path",), "agent": ("name",)}, 1),
    }
)
"""(keep, hops) by name. No preset keeps ``command``: a seed in it would make every activity one of its own."""


def knobs(keep: Keep | None, hops: int | None, resolution: str) -> Knobs:
    """What was asked for; the preset stands for what was not.

    Raises:
        QuestionError: no such preset, kind or number of hops.
    """
    if resolution not in PRESETS:
        raise QuestionError(f"no resolution is called {resolution!r}; there are {', '.join(PRESETS)}")
    if hops is not None and (type(hops) is not int or hops < 0):
        raise QuestionError(f"hops = {hops} is no number of edges; 0 looks at a vertex alone, 1 at its neighbours too")
    kept, far = PRESETS[resolution]
    asked, reach = by_kind(kept if keep is None else keep, "keep"), far if hops is None else hops
    preset = resolution if (asked, reach) == (by_kind(kept, "keep"), far) else None
    return Knobs(MappingProxyType(asked), reach, preset)


def by_kind(keep: Keep, what: str) -> dict[str, tuple[str, ...]]:
    """Property keys by kind: every kind is there, capitalized.

    Raises:
        QuestionError: a kind that is none, or keys that are no strings.
    """
    if not isinstance(keep, Mapping):
        raise QuestionError(f'{what} is {keep!r}, but names property keys by kind: {{"activity": ["utility"]}}')
    found: dict[str, dict[str, None]] = {kind.value: {} for kind in (Kind.ACTIVITY, Kind.ENTITY, Kind.AGENT)}
    for kind, keys in keep.items():
        known = next((name for name in found if name.lower() == str(kind).lower()), None)
        if known is None:
            raise QuestionError(f"{what} names the kind {kind!r}; there are activity, entity and agent")
        listed = (keys,) if isinstance(keys, str) else tuple(keys)
        for key in listed:
            if not key or type(key) is not str:
                raise QuestionError(
                    f"{what} names {key!r} for {known.lower()}, which is no property; `provdb show REF` lists them"
                )
        found[known].update(dict.fromkeys(listed))
    return {kind: tuple(keys) for kind, keys in found.items()}
