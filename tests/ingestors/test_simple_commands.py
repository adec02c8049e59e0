"""The simple commands of a shell line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingestors.simple_commands import simple_commands


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py --lr 0.1 > log 2>&1", [["python", "train.py", "--lr", "0.1"]]),
        ("A=1 B=2 curl -s 'http://h/a b' | head -n 5 >> x", [["curl", "-s", "http://h/a b"], ["head", "-n", "5"]]),
        ("a 2> e && b; c &", [["a"], ["b"], ["c"]]),
        ("a 5 > e", [["a", "5"]]),
        ("for f in x y; do wc -l < $f; done", [["f", "in", "x", "y"], ["wc", "-l"]]),
        ("(cd d && ls)", [["cd", "d"], ["ls"]]),
        ("a \\\n b\nc", [["a", "b"], ["c"]]),
        ("echo 'no end", []),
        ("", []),
    ],
)
def test_of_a_line(line: str, expected: list[list[str]]) -> None:
    assert [command.argv for command in simple_commands(["/bin/bash", "-c", line])] == expected


def test_of_words() -> None:
    (command,) = simple_commands(["nohup", "env", "A=1", "python3", "x.py"])
    assert (command.utility, command.argv[-1]) == ("python3", "x.py")
    assert simple_commands([]) == []
    assert [one.utility for one in simple_commands(["sh", "script.sh"])] == ["sh"]


@given(st.text(alphabet="ab '\"\\|&;<>()$\n#=2", max_size=60))
def test_any_line(line: str) -> None:
    for command in simple_commands(["sh", "-c", line]):
        assert command.argv
