"""Who is joined to whom, in either direction, and how: the undirected view that provenance types are defined on."""

from typing import NamedTuple

import numpy as np

from provgraph.queries.summarization.mixing import Colours, changes, mixed, pointers, summed
from provgraph.queries.summarization.union import Ints, Union


class Neighbours(NamedTuple):
    """The neighbours of vertex v stand in ptr[v] to ptr[v + 1] - 1, each once, sorted."""

    ptr: Ints
    other: Ints
    label: Ints
    """The relations that join the two, their directions as seen from v, and how often: a code."""
    label_colours: Colours
    """A colour for each label."""


def neighbours(union: Union) -> Neighbours:
    """The neighbours of all vertices. Labels are numbered by their content."""
    here = np.concatenate((union.sources, union.targets))
    other = np.concatenate((union.targets, union.sources))
    mark = np.concatenate((union.relations * 2, union.relations * 2 + 1))
    order = np.lexsort((mark, other, here))
    here, other, mark = here[order], other[order], mark[order]
    first = changes(here, other, mark)
    starts = np.flatnonzero(first)
    times = np.diff(np.append(starts, len(here)))
    here, other, mark = here[starts], other[starts], mark[starts]
    pair = np.flatnonzero(changes(here, other))
    label = _labels(mark, times, np.append(pair, len(here)))
    colours = mixed(mixed(np.arange(int(label.max(initial=-1)) + 1)))
    return Neighbours(pointers(here[pair], len(union)), other[pair], label, colours)


class Upwards(NamedTuple):
    """Each pair of neighbours once, with the one that has fewer: a hub has no neighbours upwards but greater hubs.

    Those of vertex v stand in ptr[v] to ptr[v + 1] - 1, as places in the ``Neighbours``.
    """

    ptr: Ints
    entry: Ints
    reverse: Ints
    """Of each place in the ``Neighbours``: that of the same two, seen from the other one."""


def upwards(near: Neighbours) -> Upwards:
    """The pairs of neighbours, each from the one with fewer neighbours."""
    degree = np.diff(near.ptr)
    here = np.repeat(np.arange(len(degree)), degree)
    mine, theirs = degree[here], degree[near.other]
    entry = np.flatnonzero((mine < theirs) | ((mine == theirs) & (here <= near.other)))
    return Upwards(pointers(here[entry], len(degree)), entry, np.lexsort((here, near.other)))


def _labels(mark: Ints, times: Ints, runs: Ints) -> Ints:
    """For each pair of neighbours the code of its marks, how often each."""
    width = int(times.max(initial=0)) + 1
    single = mark * width + times
    sizes = np.diff(runs)
    words: list[tuple[int, ...]] = [(value,) for value in np.unique(single[runs[:-1][sizes == 1]]).tolist()]
    several = np.flatnonzero(sizes > 1)
    many = [tuple(single[runs[i] : runs[i + 1]].tolist()) for i in several.tolist()]
    codes = {word: code for code, word in enumerate(sorted({*words, *many}))}
    label = np.zeros(len(sizes), np.int64)
    table = np.zeros(int(single.max(initial=0)) + 1, np.int64)
    for word in words:
        table[word[0]] = codes[word]
    label[sizes == 1] = table[single[runs[:-1][sizes == 1]]]
    label[several] = [codes[word] for word in many]
    return label


def refined(colours: Colours, near: Neighbours, rounds: int) -> list[Colours]:
    """The colours after 0, 1, … ``rounds`` rounds of colour refinement over all neighbours."""
    stages = [colours]
    for _ in range(rounds):
        around = mixed(stages[-1][near.other] ^ near.label_colours[near.label])
        stages.append(mixed(stages[-1] + mixed(summed(around, near.ptr))))
    return stages
