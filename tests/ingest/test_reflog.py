"""What lines of a reflog tell, and what is no such line."""

from provgraph.ingest.reflog import moves_since, parse, rebased

A, B, C, NONE = "a" * 40, "b" * 40, "c" * 40, "0" * 40


def _line(old, new, message, at=1_700_000_000):
    return f"{old} {new} Al Ice <al@x.org> {at} +0100\t{message}"


def test_lines():
    text = "\n".join(
        [
            _line(NONE, A, "commit (initial): One"),
            _line(A, B, "commit (amend): One: better"),
            _line(B, C, "merge side: Fast-forward"),
            _line(C, B, "checkout: moving from main to x"),
            _line(B, C, "pull --rebase (finish): returning to refs/heads/main"),
            f"{A} {B} no time here",
            "",
            "\0\xff",
            f"{A} {B} <<>> <x@y> 12 +0000",
        ]
    )
    found = parse(text)
    assert [move.new for move in found] == [A, B, C, B, C, B]
    assert [move.amends for move in found] == [False, True, False, False, False, False]
    assert [move.brings for move in found] == [False, False, True, False, False, False]
    assert found[1].what == "commit (amend)"
    assert found[0].at_s == 1_700_000_000


def test_rebases():
    lines = [
        _line(A, B, "rebase (start): checkout main"),
        _line(B, C, "rebase (pick): One"),
        _line(C, C, "rebase (finish): returning to refs/heads/topic"),
        _line(C, A, "rebase -i (start): checkout main"),
        _line(A, C, "rebase -i (abort): returning to refs/heads/topic"),
    ]
    assert rebased(parse("\n".join(lines))) == [(A, C)]


def test_only_what_came_since(tmp_path):
    (tmp_path / "logs").mkdir()
    first = _line(NONE, A, "commit (initial): One") + "\n"
    (tmp_path / "logs/HEAD").write_text(first + _line(A, B, "commit: Two") + "\n")
    assert [move.new for move in moves_since(str(tmp_path), len(first))] == [B]
    assert not moves_since(str(tmp_path), 10_000), "it was made anew"
    assert not moves_since(str(tmp_path / "nowhere"), 0)
