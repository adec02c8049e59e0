"""What Caffe's solvers and nets define (``caffe.proto``): hyperparameters, layers, where the data comes from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provgraph.ingestors.documents import property_value
from provgraph.ingestors.prototxt import Field, messages, tree, values

LISTED_LAYERS: Final = 1_000
LAYERS_JSON_BYTES: Final = 1 << 17

_NETS: Final = ("net_param", "train_net_param", "test_net_param")
_OF_SOLVERS: Final = frozenset(
    """base_lr lr_policy max_iter net train_net test_net solver_mode solver_type snapshot_prefix test_interval
    net_param train_net_param test_iter""".split()
)
_OF_NETS: Final = frozenset(("layer", "layers", "input", "input_dim", "input_shape"))


def is_solver(fields: list[Field]) -> bool:
    """Whether these are the fields of a ``SolverParameter``."""
    names = {field.name for field in fields}
    return bool(names & _OF_SOLVERS) and not names & _OF_NETS


def is_net(fields: list[Field]) -> bool:
    """Whether these are the fields of a ``NetParameter``."""
    return any(field.name in ("layer", "layers") for field in fields)


def hyperparameters(solver: list[Field]) -> dict[str, Any]:
    """All that a solver says, but the nets within it, as ``param_*``."""
    found = {f"param_{name}": plain(value) for name, value in tree(solver).items() if name not in _NETS}
    batches = [batch_sizes(net) for net in messages(solver, *_NETS)]
    return {**{f"param_{name}": size for sizes in batches for name, size in sizes.items()}, **found}


def batch_sizes(net: list[Field]) -> dict[str, int]:
    """``batch_size`` of the layer that the net is trained from, ``test_batch_size`` of the one for tests."""
    found: dict[str, int] = {}
    for layer in _layers(net):
        phases = {str(phase) for rule in messages(layer, "include") for phase in values(rule, "phase")}
        for parameters in layer:
            if isinstance(parameters.value, list) and parameters.name.endswith("_param"):
                for size in values(parameters.value, "batch_size"):
                    if isinstance(size, int) and plain(size) == size:
                        found.setdefault("test_batch_size" if phases == {"TEST"} else "batch_size", size)
    return found


def net_properties(net: list[Field]) -> tuple[dict[str, Any], list[str]]:
    """What a net is, as properties of its file; and what was left out, for people."""
    layers, notes = list(_layers(net)), []
    named = [_named(layer) for layer in layers]
    found: dict[str, Any] = {
        "net_name": next((str(name) for name in values(net, "name")), None),
        "layers_count": len(layers),
        "layers": [f"{name}: {kind}" for name, kind in named[:LISTED_LAYERS]],
        "layer_types_json": json.dumps(dict(Counter(kind for _, kind in named).most_common())),
    }
    if len(layers) > LISTED_LAYERS:
        notes.append(f"only the first {LISTED_LAYERS} of {len(layers):,} layers are listed")
    text = json.dumps([plain(tree(layer)) for layer in layers], separators=(",", ":"))
    if len(text) <= LAYERS_JSON_BYTES:
        found["layers_json"] = text
    else:
        notes.append(f"the layers' parameters are not repeated: they have {len(text):,} characters")
    return {key: value for key, value in found.items() if value is not None}, notes


def sources(fields: list[Field], depth: int = 0) -> Iterator[str]:
    """The files and folders that layers read: each ``source`` and ``mean_file``."""
    for name, value in fields:
        if isinstance(value, list):
            yield from sources(value, depth + 1)
        elif name in ("source", "mean_file") and depth and value:
            yield str(value)


def plain(value: Any) -> Any:
    """The same as a property can be: numbers that are none, and integers of more than 64 bits, become text."""
    if isinstance(value, int | float):
        return property_value(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _layers(net: list[Field]) -> Iterator[list[Field]]:
    for layer in messages(net, "layer", "layers"):
        yield next(messages(layer, "layer"), layer)  # the oldest format has one within the other


def _named(layer: list[Field]) -> tuple[str, str]:
    name, kind = values(layer, "name"), values(layer, "type")
    return (str(name[0]) if name else "?", str(kind[0]) if kind else "?")
