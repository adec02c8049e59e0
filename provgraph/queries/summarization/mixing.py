"""Numbers that mix: 64-bit colours, equal for equal things, the same in every process.

A colour may be equal by accident, so equal colours prove nothing; unequal ones do.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_PACKED = 62
"""So many bits fit in one number."""


def mixed(values: npt.NDArray[np.uint64] | npt.NDArray[np.int64]) -> Colours:
    """Each number spread over 64 bits (the finalizer of SplitMix64)."""
    z = values.astype(np.uint64) + _STEP
    z ^= z >> np.uint64(30)
    z *= _FIRST
    z ^= z >> np.uint64(27)
    z *= _SECOND
    z ^= z >> np.uint64(31)
    return z


def summed(values: Colours, ptr: npt.NDArray[np.int64]) -> Colours:
    """The sum, modulo 2^64, of each run: of the values from ptr[i] to ptr[i + 1] - 1."""
    total = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values, out=total[1:])
    return total[ptr[1:]] - total[ptr[:-1]]


def pointers(owners: npt.NDArray[np.integer[Any]], count: int) -> npt.NDArray[np.int64]:
    """Where the run of each of ``count`` owners begins in a sorted list of owners; shape (count + 1,)."""
    ptr = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(owners, minlength=count), out=ptr[1:])
    return ptr


def ones(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """How many bits of each number are set."""
    z = values - ((values >> np.uint64(1)) & np.uint64(0x5555555555555555))
    z = (z & np.uint64(0x3333333333333333)) + ((z >> np.uint64(2)) & np.uint64(0x3333333333333333))
    z = (z + (z >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.asarray((z * np.uint64(0x0101010101010101)) >> np.uint64(56), np.int64)


def changes(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a row differs from the one before; the first does."""
    found = np.zeros(len(columns[0]), np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found


def rows_once(*columns: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], ...]:
    """The rows of some columns of numbers from 0 on, sorted, each different one once."""
    return _rows(columns, once=True)


def rows_sorted(*columns: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], ...]:
    """The rows of some columns of numbers from 0 on, sorted."""
    return _rows(columns, once=False)


def _rows(columns: tuple[npt.NDArray[Any], ...], *, once: bool) -> tuple[npt.NDArray[np.int64], ...]:
    widths = [int(column.max(initial=0)).bit_length() for column in columns]
    if sum(widths) > _PACKED:
        order = np.lexsort(columns[::-1])
        several = tuple(column[order].astype(np.int64) for column in columns)
        return tuple(column[changes(*several)] for column in several) if once else several
    # In one number: sorting values is many times as fast as sorting rows.
    packed = columns[0].astype(np.int64)
    for column, width in zip(columns[1:], widths[1:], strict=True):
        packed = (packed << width) | column
    packed.sort()
    if once:
        packed = packed[changes(packed)]
    found = []
    for width in widths[:0:-1]:
        found.append(packed & ((1 << width) - 1))
        packed = packed >> width
    return (packed, *found[::-1])


def expanded(begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """All places of several runs, one run after the other: (which run, which place)."""
    sizes = end - begin
    run = np.repeat(np.arange(len(sizes)), sizes)
    before = np.cumsum(sizes) - sizes
    return run, np.arange(len(run)) + (begin - before)[run]
