"""Diffs: right for any two sequences, as short as difflib's where those are small, and bounded where they are not."""

import difflib
import random
import re

from hypothesis import given
from hypothesis import strategies as st

from provgraph.queries.comparison.lines import steps, unified
from provgraph.queries.comparison.texts import notebook_text, text_difference, text_of

SEQUENCES = st.lists(st.sampled_from("abcdef"), max_size=30)


@given(SEQUENCES, SEQUENCES)
def test_steps_lead_from_one_to_the_other(first: list[str], second: list[str]) -> None:
    ours, theirs = [], []
    for equal, a, b in steps(first, second):
        ours += first[a[0] : a[1]]
        theirs += second[b[0] : b[1]]
        assert not equal or first[a[0] : a[1]] == second[b[0] : b[1]]
        assert a[0] < a[1] or b[0] < b[1]
    assert (ours, theirs) == (first, second)


@given(SEQUENCES)
def test_the_same_is_one_equal_step(items: list[str]) -> None:
    assert steps(items, items) == ([(True, (0, len(items)), (0, len(items)))] if items else [])


@given(SEQUENCES, SEQUENCES)
def test_a_diff_applies(first: list[str], second: list[str]) -> None:
    lines, added, removed, left_out = unified(first, second, 10_000)
    assert left_out == 0
    assert added == sum(line.startswith("+") for line in lines)
    assert removed == sum(line.startswith("-") for line in lines)
    assert applied(first, lines) == second


def applied(first: list[str], lines: list[str]) -> list[str]:
    """What ``patch`` makes of it."""
    made: list[str] = []
    at = 0
    for line in lines:
        head = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", line)
        if head:
            start = int(head[1]) - (head[2] != "0")
            made += first[at:start]
            at = start
            continue
        if line[0] in " -":
            assert first[at] == line[1:], "the hunk does not lie where it says"
            at += 1
        if line[0] in " +":
            made.append(line[1:])
    return made + first[at:]


def test_hunks_are_those_of_diff_u() -> None:
    first = [f"line {n}" for n in range(60)]
    second = [*first[:10], "new", *first[11:40], *first[45:]]
    expected = list(difflib.unified_diff(first, second, lineterm=""))[2:]
    assert unified(first, second, 1000)[0] == expected


def test_hundred_thousand_lines_of_which_few_differ() -> None:
    first = [f"{n * 7919 % 100_003}" for n in range(100_000)]
    second = list(first)
    for place in range(0, 100_000, 5_000):
        second[place] = "changed"
    lines, added, removed, left_out = unified(first, second, 50)
    assert (added, removed) == (20, 20)
    assert len(lines) == 50 and left_out > 0


def test_hundred_thousand_lines_that_share_everything_but_their_order() -> None:
    """Nothing occurs once, and difflib would not end: a stretch counts as replaced then."""
    chance = random.Random(7)
    first = [chance.choice("abcdefgh") for _ in range(100_000)]
    second = [chance.choice("abcdefgh") for _ in range(100_000)]
    assert applied(first, unified(first, second, 10**7)[0]) == second


def test_what_is_no_text() -> None:
    assert text_of(b"\x80\x04\x95\x00\x01") is None
    assert text_of(bytes(range(1, 32)) * 10) is None
    assert text_of(b"caf\xe9 au lait, one stray byte of Latin-1\n") == "caf\udce9 au lait, one stray byte of Latin-1\n"
    assert text_of("ä€".encode("utf-16")) == "ä€"
    assert text_of(b"\xef\xbb\xbfa") == "a"
    assert text_of(b"") == ""


def test_the_last_newline_is_told() -> None:
    found = text_difference("a\nb", "a\nb\n", 10)
    assert found.reason == "the second alone ends with a newline" and not found.lines


def test_carriage_returns_differ() -> None:
    assert text_difference("a\r\nb\n", "a\nb\n", 10).lines == ("@@ -1,2 +1,2 @@", "-a\r", "+a", " b")


def test_a_notebook_is_its_sources() -> None:
    text = '{"cells": [{"cell_type": "code", "source": ["x = 1\\n", "y = 2"], "outputs": [1]}]}'
    assert notebook_text(text) == "──── code\nx = 1\ny = 2\n"
    assert notebook_text('{"cells": 3}') is None and notebook_text("[1]") is None and notebook_text("no") is None
