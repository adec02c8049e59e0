"""Rooted balls: what lies within k edges of a vertex, for many vertices at once.

A ball is laid out as a *form*: its vertices in the order of refined colours, its edges and leaves by their places in
that order. Two equal forms are isomorphic balls, exactly. Isomorphic balls have equal colours and nearly always equal
forms; where an order had to be chosen between vertices of equal colour, two forms may differ all the same
(``isomorphism`` decides).
A *leaf*, a vertex other than the root with one neighbour in the ball, is counted with its neighbour, so a ball with a
hub stays small.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from provgraph.queries.summarization.mixing import Colours, changes, expanded, mixed, pointers, rows_sorted, summed
from provgraph.queries.summarization.neighbours import Neighbours, Upwards
from provgraph.queries.summarization.union import Ints

_CELLS = 1 << 18
"""How many cells, each a root and a vertex of its segment, are looked at in one go."""
_TABLE = 4096
"""Up to how many vertices of a segment a table of all cells is quicker than searching for those that are there,"""
_FULL = 16
"""unless there are more than so many times as many cells as steps to look at."""
_ROUNDS = 3
_CHOICES = 8
"""How often a vertex is chosen among those of equal colour before the rest stand as they come."""


class Around(NamedTuple):
    """What the balls are cut from."""

    near: Neighbours
    upwards: Upwards
    base: Ints
    """Of each vertex: the code of its kind and kept properties."""
    stages: list[Colours]
    """Of each vertex: its colour after 0, 1, … k rounds; that of round j depends on its ball of radius j alone."""
    first: Ints
    """Of each vertex: where its segment begins."""
    size: Ints
    """Of each vertex: how many vertices its segment has."""


class Balls(NamedTuple):
    """The folded balls of several roots: vertices sorted by root, ``row`` says which."""

    roots: int
    row: Ints
    vertex: Ints
    distance: Ints
    ptr: Ints
    """The neighbours of ball vertex i stand in ptr[i] to ptr[i + 1] - 1."""
    other: Ints
    label: Ints
    leaf_at: Ints
    """Of each leaf: the ball vertex it hangs on, its label seen from there, and its base."""
    leaf_label: Ints
    leaf_base: Ints


def ball_colours(around: Around, roots: Ints) -> Colours:
    """For each root a colour of its ball, equal for isomorphic balls; much cheaper than forms."""
    found = [np.zeros(0, np.uint64)]
    for balls, colours in _cut(around, roots):
        found.append(summed(mixed(colours), pointers(balls.row, balls.roots)))
    return np.concatenate(found)


def forms(around: Around, roots: Ints) -> Iterator[bytes]:
    """For each root the form of its ball."""
    for balls, colours in _cut(around, roots):
        yield from _laid_out(around, balls, colours)


def _cut(around: Around, roots: Ints) -> Iterator[tuple[Balls, Colours]]:
    """The balls of the roots, some at a time, with their refined colours."""
    sizes, walks = around.size[roots], _walks(around)[roots]
    table = bool(len(roots)) and int(sizes.max()) <= _TABLE and int(sizes.sum()) <= _FULL * int(walks.sum())
    cells = np.cumsum(sizes if table else walks)
    begin = 0
    while begin < len(roots):
        before = cells[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(cells, before + _CELLS, side="right")))
        balls = _folded(around, roots[begin:end], table=table)
        yield balls, _refined(balls, around.near.label_colours, _first_colours(around, balls), _ROUNDS)
        begin = end


def _walks(around: Around) -> Ints:
    """How many walks of up to k steps start at each vertex: no ball is larger."""
    count = np.ones(len(around.base))
    for _ in around.stages[1:]:
        total = np.concatenate(([0], np.cumsum(count[around.near.other])))
        count = np.minimum(1 + total[around.near.ptr[1:]] - total[around.near.ptr[:-1]], _CELLS)
    return np.ceil(count).astype(np.int64)


def _folded(around: Around, roots: Ints, *, table: bool) -> Balls:
    """The balls of these roots, leaves folded."""
    near = around.near
    # A cell stands for a root and a vertex of its segment: the vertex's number, shifted by what is the root's.
    size = around.size[roots]
    shift = np.cumsum(size) - size - around.first[roots]
    cell, distance = (_by_table if table else _by_search)(around, roots, shift)
    row = np.searchsorted(shift + around.first[roots], cell, side="right") - 1
    vertex = cell - shift[row]
    run, step = expanded(around.upwards.ptr[vertex], around.upwards.ptr[vertex + 1])
    entry = around.upwards.entry[step]
    wanted = shift[row[run]] + near.other[entry]
    if table:
        place_of = np.full(int(size.sum()), -1, np.int32)
        place_of[cell] = np.arange(len(cell))
        other = place_of[wanted]
        inside = other >= 0
    else:
        other = np.minimum(np.searchsorted(cell, wanted), len(cell) - 1)
        inside = cell[other] == wanted
    here, there, label = _both_ways(around, run[inside], other[inside].astype(np.int64), entry[inside])
    return _without_leaves(around, len(roots), row, vertex, distance, here, there, label)


def _both_ways(around: Around, here: Ints, there: Ints, entry: Ints) -> tuple[Ints, Ints, Ints]:
    """(one, the other, label) of joined ball vertices, which are given once each, from either; sorted."""
    two = here != there
    ends = np.concatenate((here, there[two])), np.concatenate((there, here[two]))
    order = np.argsort(ends[0], kind="stable")
    label = around.near.label[np.concatenate((entry, around.upwards.reverse[entry[two]]))]
    return ends[0][order], ends[1][order], label[order]


def _by_table(around: Around, roots: Ints, shift: Ints) -> tuple[Ints, Ints]:
    """The cells of the balls, sorted, and how far each is from its root; for small segments."""
    near, hops = around.near, len(around.stages) - 1
    begins = shift + around.first[roots]
    distance = np.full(int(around.size[roots].sum()), hops + 1, np.int8)
    row, vertex = np.arange(len(roots)), roots
    distance[shift + vertex] = 0
    for step in range(1, hops + 1):
        run, place = expanded(near.ptr[vertex], near.ptr[vertex + 1])
        cell = shift[row[run]] + near.other[place]
        distance[cell[distance[cell] > step]] = step
        found = np.flatnonzero(distance == step)
        row = np.searchsorted(begins, found, side="right") - 1
        vertex = found - shift[row]
    cell = np.flatnonzero(distance <= hops)
    return cell, distance[cell].astype(np.int64)


def _by_search(around: Around, roots: Ints, shift: Ints) -> tuple[Ints, Ints]:
    """As ``_by_table``, for segments of any size."""
    near, width = around.near, len(around.stages)
    begins = shift + around.first[roots]
    row, vertex = np.arange(len(roots)), roots
    # Cell and distance in one number: of each cell the nearest stays.
    both = (shift + roots) * width
    for step in range(1, width):
        run, place = expanded(near.ptr[vertex], near.ptr[vertex + 1])
        both = np.concatenate((both, (shift[row[run]] + near.other[place]) * width + step))
        both.sort()
        cell, distance = np.divmod(both, width)
        nearest = changes(cell)
        both, found = both[nearest], cell[nearest & (distance == step)]
        row = np.searchsorted(begins, found, side="right") - 1
        vertex = found - shift[row]
    cell, distance = np.divmod(both, width)
    return cell, distance


def _without_leaves(
    around: Around,
    roots: int,
    row: Ints,
    vertex: Ints,
    distance: Ints,
    here: Ints,
    other: Ints,
    label: Ints,
) -> Balls:
    leaf = (np.bincount(here, minlength=len(row)) == 1) & (distance > 0)
    new = np.cumsum(~leaf) - 1
    hanging = leaf[other]
    stays = ~(leaf[here] | hanging)
    kept = ~leaf
    return Balls(
        roots=roots,
        row=row[kept],
        vertex=vertex[kept],
        distance=distance[kept],
        ptr=pointers(new[here[stays]], int(kept.sum())),
        other=new[other[stays]],
        label=label[stays],
        leaf_at=new[here[hanging]],
        leaf_label=label[hanging],
        leaf_base=around.base[vertex[other[hanging]]],
    )


def _first_colours(around: Around, balls: Balls) -> Colours:
    """What is known of a ball vertex by itself: its distance, its own small ball, its leaves."""
    hops = len(around.stages) - 1
    stages = np.stack(around.stages)
    own = mixed(stages[hops - balls.distance, balls.vertex] + mixed(balls.distance))
    leaves = mixed(around.near.label_colours[balls.leaf_label] ^ mixed(balls.leaf_base))
    order = np.argsort(balls.leaf_at, kind="stable")
    return mixed(own + mixed(summed(leaves[order], pointers(balls.leaf_at, len(balls.row)))))


def _refined(balls: Balls, label_colours: Colours, colours: Colours, rounds: int) -> Colours:
    marks = label_colours[balls.label]
    for _ in range(rounds):
        colours = mixed(colours + mixed(summed(mixed(colours[balls.other] ^ marks), balls.ptr)))
    return colours


def _laid_out(around: Around, balls: Balls, colours: Colours) -> Iterator[bytes]:
    """The form of each ball."""
    order = np.lexsort((_told_apart(balls, around.near.label_colours, colours), balls.row))
    begin = pointers(balls.row, balls.roots)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - begin[balls.row]
    root = rank[balls.distance == 0]
    here = np.repeat(np.arange(len(order)), np.diff(balls.ptr))
    edges, edge_ptr = _rows(balls, balls.row[here], rank[here], rank[balls.other], balls.label)
    leaf_row = balls.row[balls.leaf_at]
    leaves, leaf_ptr = _rows(balls, leaf_row, rank[balls.leaf_at], balls.leaf_label, balls.leaf_base)
    base = around.base[balls.vertex[order]].astype(np.int32)
    head = np.stack((np.diff(begin), np.diff(edge_ptr), root), axis=1).astype(np.int32)
    parts = []
    for table, ptr, width in (
        (head, np.arange(balls.roots + 1), 12),
        (base, begin, 4),
        (edges, edge_ptr, 12),
        (leaves, leaf_ptr, 12),
    ):
        whole, ends = table.tobytes(), (ptr * width).tolist()
        parts.append([whole[i:j] for i, j in pairwise(ends)])
    yield from map(b"".join, zip(*parts, strict=True))


def _rows(balls: Balls, row: Ints, *columns: Ints) -> tuple[npt.NDArray[np.int32], Ints]:
    """A table sorted by ball, then by its columns, and where the part of each ball begins."""
    _, *ordered = rows_sorted(row, *columns)
    return np.stack(ordered, axis=1).astype(np.int32), pointers(row, balls.roots)


def _told_apart(balls: Balls, label_colours: Colours, colours: Colours) -> Colours:
    """Colours with as few ties as can be had by choosing: among twins, who are interchangeable, and then one by one.

    A ball that has no ties is left as it is, so what is done to one never depends on the others.
    """
    colours = colours.copy()
    part, places = balls, np.arange(len(colours))
    for _ in range(_CHOICES):
        part, places = _with_ties(part, places, colours)
        if not len(places):
            break
        identity = summed(mixed(mixed(part.other) ^ label_colours[part.label]), part.ptr)
        colours[places] = mixed(colours[places] + mixed(_ordinals(part.row, colours[places], identity)))
        part, places = _with_ties(part, places, colours)
        if not len(places):
            break
        own = colours[places]
        chosen = _first_tied(part, own)
        own[chosen] = mixed(own[chosen] + np.uint64(1))
        colours[places] = _refined(part, label_colours, own, _ROUNDS)
    return colours


def _with_ties(balls: Balls, places: Ints, colours: Colours) -> tuple[Balls, Ints]:
    """Those balls in which two vertices share a colour, and the places of their vertices."""
    rows = np.zeros(balls.roots, np.bool_)
    rows[balls.row[_tied(balls, colours[places])]] = True
    kept = rows[balls.row]
    if kept.all():
        return balls, places
    new = np.cumsum(kept) - 1
    sizes = np.diff(balls.ptr)
    stays = np.repeat(kept, sizes)
    nothing = np.zeros(0, np.int64)
    part = Balls(
        balls.roots,
        balls.row[kept],
        balls.vertex[kept],
        balls.distance[kept],
        np.concatenate(([0], np.cumsum(sizes[kept]))),
        new[balls.other[stays]],
        balls.label[stays],
        nothing,
        nothing,
        nothing,
    )
    return part, places[kept]


def _tied(balls: Balls, colours: Colours) -> npt.NDArray[np.bool_]:
    """Which ball vertices have the colour of another one in their ball."""
    order = np.lexsort((colours, balls.row))
    row, colour = balls.row[order], colours[order]
    same = (row[1:] == row[:-1]) & (colour[1:] == colour[:-1])
    tied = np.zeros(len(order), np.bool_)
    tied[order[1:][same]] = True
    tied[order[:-1][same]] = True
    return tied


def _ordinals(row: Ints, colours: Colours, identity: Colours) -> Ints:
    """For each ball vertex how many before it agree with it on all three."""
    order = np.lexsort((identity, colours, row))
    first = np.ones(len(order), np.bool_)
    first[1:] = False
    for column in (row, colours, identity):
        first[1:] |= column[order][1:] != column[order][:-1]
    starts = np.flatnonzero(first)
    ordinal = np.empty(len(order), np.int64)
    ordinal[order] = np.arange(len(order)) - starts[np.cumsum(first) - 1]
    return ordinal


def _first_tied(balls: Balls, colours: Colours) -> Ints:
    """In each ball that has ties: one vertex of the smallest colour that is tied."""
    places = np.flatnonzero(_tied(balls, colours))
    order = places[np.lexsort((colours[places], balls.row[places]))]
    _, first = np.unique(balls.row[order], return_index=True)
    return order[first]
