"""Lines of a text that comes in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.lines import Line, Lines


def lines(*pieces: bytes, limit: int = 100) -> list[tuple[str, bool]]:
    reader = Lines(limit)
    return [(line.text, line.overwritten) for piece in (*pieces, b"") for line in reader.feed(piece)]


def test_what_a_carriage_return_writes_over_is_told_apart() -> None:
    assert lines(b"1%\r50%\r100%\nnext\r\nlast") == [
        ("1%", True), ("50%", True), ("100%", False), ("next", False), ("last", False),
    ]  # fmt: skip


def test_a_carriage_return_at_the_end_writes_over_nothing() -> None:
    assert lines(b"1%\r", b"2%\r") == [("1%", True), ("2%", False)]


def test_a_line_end_that_is_cut_in_two_is_one() -> None:
    assert lines(b"a\r", b"\nb\n") == [("a", False), ("b", False)]


def test_characters_that_are_cut_in_two() -> None:
    assert lines("ä\n".encode()[:1], "ä\n".encode()[1:]) == [("ä", False)]


def test_a_long_line_is_counted_and_left_out() -> None:
    reader = Lines(10)
    found = [
        line
        for piece in (b"x" * 8, b"y" * 8, b"z" * 8 + b"\nok\n" + b"w" * 11 + b"\n", b"")
        for line in reader.feed(piece)
    ]
    assert found == [Line("ok", False)]
    assert reader.too_long == 2


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\x08\x08", b"\xc3", b"\xa4", b"bb"])), st.data())
def test_pieces_make_no_difference(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    at = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    pieces = [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True) if a != b]
    text = lambda found: "".join(line for line, _ in found)  # noqa: E731
    assert text(lines(*pieces)) == text(lines(whole) if whole else lines())
