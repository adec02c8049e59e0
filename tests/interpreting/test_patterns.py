"""Which commands and files an ingestor fits."""

import signal

import pathspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provgraph.ingestors.patterns import fits_globs
from provgraph.ingestors.port import ActivityWords, File, Match, Moment, Occurrence, Previous
from provgraph.schemas import validator
from provgraph.session.interpreting.interpreter import fits_words

NAMES = st.sampled_from(["a", "b.csv", "data", "x.log", "ab", "[a]"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["a", "*.csv", "data", "*", "**", "?", "[ab]", "[!a]*", "x.log", "a*"])
GLOBS = st.builds(
    lambda start, parts, end: f"{start}{'/'.join(parts)}{end}",
    st.sampled_from(["", "/"]), st.lists(PARTS, min_size=1, max_size=3), st.sampled_from(["", "/"]),
)  # fmt: skip


@given(st.lists(GLOBS, min_size=1, max_size=3), PATHS)
def test_globs_are_those_of_gitignore(globs, path):
    assume(not any(glob.endswith("**/") for glob in globs))  # pathspec differs from git there
    assert fits_globs(globs, path) is pathspec.GitIgnoreSpec.from_lines(globs).match_file(path)


@pytest.mark.parametrize(
    ("globs", "path", "fits"),
    [
        (["*.csv", "!secret.csv"], "data/a.csv", True),
        (["*.csv", "!secret.csv"], "data/secret.csv", False),
        (["!secret.csv", "*.csv"], "data/secret.csv", True),
        (["data/", "!*.log"], "data/run/x.log", False),  # git could not say that
        (["/data/*.csv"], "/data/x.csv", True),  # outside of the project
        ([r"\*.csv"], "*.csv", True),
        ([r"\*.csv"], "x.csv", False),
        (["[]"], "[]", True),
        ([], "x", False),
    ],
)
def test_what_a_glob_takes_back(globs, path, fits):
    assert fits_globs(globs, path) is fits


def occurrence(command="python3 train.py --lr 0.1", utility="python", used=(), generated=()):
    words = ActivityWords("u", tuple(command.split()), command, utility)

    def file(path):
        return File(path, "/p/" + path, "text/csv" if path.endswith("csv") else None)

    return Occurrence(Moment.AFTER, "/p", words, tuple(map(file, used)), tuple(map(file, generated)))


@pytest.mark.parametrize(
    ("match", "files", "why"),
    [
        (Match(utility="python"), {}, "the program is python"),
        (Match(utility="pyth"), {}, ""),
        (Match(command=r"--lr\s"), {}, "the command has '--lr '"),
        (Match(utility="python", command="nothing"), {}, ""),
        (Match(files=("*.log",)), {"generated": ["run/a.log"]}, "it generated run/a.log"),
        (Match(files=("*.log",), direction="used"), {"generated": ["a.log"]}, ""),
        (Match(media_types=("text/*",)), {"used": ["x.csv"]}, "it used x.csv"),
        (Match(files=("*.log",), media_types=("text/csv",)), {"used": ["x.csv"]}, "it used x.csv"),
        (Match(utility="cp", files=("*.csv",)), {"used": ["x.csv"]}, ""),
        (Match(utility="python", files=("*.csv",)), {}, ""),
        (Match(), {}, "it is for every command"),
    ],
)
def test_it_says_why_it_fires(match, files, why):
    assert match.explain(occurrence(**files)) == why


def test_an_alarm_of_the_callers_own_stays():
    """Looking for a pattern takes the same clock."""

    def rung(_signal, _frame):
        raise AssertionError

    handler = signal.signal(signal.SIGALRM, rung)
    set_before = signal.setitimer(signal.ITIMER_REAL, 10_000, 20_000)
    try:
        assert fits_words(Match(command="train"), occurrence())
        assert signal.getsignal(signal.SIGALRM) is rung
        left_s, interval_s = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left_s <= 10_000
        assert interval_s == 20_000
    finally:
        signal.setitimer(signal.ITIMER_REAL, *set_before)
        signal.signal(signal.SIGALRM, handler)


def test_an_occurrence_is_its_document():
    file = File("a", "/p/a", "text/csv", "0" * 64, 3, "updated", "/x", Previous("a", None, None))
    words = ActivityWords("u", ("a", "b"), "a b", "a", "/p", 0, "t", "t", {"n": 1})
    one = Occurrence(Moment.BEFORE, "/p", words, (file,), (File("b"),))
    document = one.to_json()
    validator("occurrence")(document)
    assert Occurrence.from_json(document) == one
