"""Rules of the configuration: what is a rule, and what is said of one that is none."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.errors import InputError
from provgraph.model.ingestor_rules import FORMS, parse_rules
from provgraph.stores.config import Config, parse_config, read_config

LOSS = """
[[ingestors.rule]]
name = "loss"
command = 'train'
files = ["*.log"]
direction = "generated"
regex = 'epoch (?P<step>\\d+) loss (?P<loss>\\S+)'
series = true
"""


def rules(text: str):
    return parse_config(tomllib.loads(text)).ingestor_rules


def test_a_rule_is_read() -> None:
    (rule,) = rules(LOSS)
    assert (rule.name, rule.files, rule.series, rule.reads_files) == ("loss", ("*.log",), True, True)
    (by_path,) = rules(
        '[[ingestors.rule]]\nname = "c"\nfiles = ["c.yaml"]\nprefix = "param_"\n'
        'yaml = { lr = "optimizer.lr", sizes = "layers[*].size" }'
    )
    assert [(path.name, path.text) for path in by_path.paths] == [("lr", "optimizer.lr"), ("sizes", "layers[*].size")]


def test_rules_need_trust(tmp_path: Path) -> None:
    (tmp_path / "c").write_text(LOSS)
    config = read_config(tmp_path / "c")
    assert config.ingestor_rules
    assert config.without_trust() == Config()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("regex = 'epoch (?P<loss>'", r"rule loss: regex = .* is no regular expression"),
        ("regex = 'no groups'", r"named group"),
        ("regexp = 'a'", r"the key 'regexp' is not known; known are name"),
        ('files = "*.log"', r'files must be a list of strings, as in \["\*\.log"\]'),
        ("command = '('", r"command = '\(' is no regular expression"),
        ('direction = "written"', r"direction is 'written'; it must be one of used, generated, both"),
        ('to = "run"', r"must be one of activity, file"),
        ('type = "float"', r"must be one of auto, number"),
        ('series = "yes"', r"series must be true or false"),
        ('step = "epoch"', r"step names the group 'epoch', which regex does not have; it has step, loss"),
        ('prefix = "param_"', r"a series is always metric_NAME"),
        ('name = "Loss"', r"has the name 'Loss'; name it with small letters"),
        ('json = "a.b"', r"exactly one of regex, json, jsonl, yaml, toml"),
        ("name = 3", r"name must be a string, not 3"),
        ("files = []", r"the command line, as it has no files"),
    ],
)
def test_what_is_wrong_is_said(change: str, said: str) -> None:
    key = change.partition(" ")[0]
    lines = [line for line in LOSS.splitlines() if line.partition(" ")[0] != key]
    with pytest.raises(InputError, match=said):
        rules("\n".join([*lines, change]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[ingestors.rule]\nname = "a"', r"\[\[ingestors.rule\]\] with two brackets"),
        ("[ingestors]\nrule = 3", r"two brackets"),
        (LOSS + LOSS, r"two rules 'loss'"),
        ("[[ingestors.rule]]\nregex = 'a'", r"rule number 1 has no name"),
        ('[[ingestors.rule]]\nname="a"\nyaml="x"', r'which files it reads, as in files = \["\*\.yaml"\]'),
        (
            '[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml="x[0]"',
            r'ends in no name; name it, as in \{ size = "x\[0\]" \}',
        ),
        ('[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml="x..y"', r"is no path"),
        ('[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml=3', r"must be a path"),
        ('[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml="x"\nseries=true', r"history\[\*\]\.loss"),
        ('[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml="x"\nstep="y"', r"add series = true"),
        ('[[ingestors.rule]]\nname="a"\nfiles=["a"]\nyaml="sha256"', r"sha256 is a property of the base"),
        ('[[ingestors.rule]]\nname="a"\nregex="(?P<x>.)"', r"does not say what it is for: give files"),
        ('[[ingestors.rule]]\nname="a"\nfiles=[]\ncommand=""\nregex="(?P<x>.)"', r"does not say what it is for"),
        ('[[ingestors.rule]]\nname="a"\ndirection="used"\nregex="(?P<x>.)"', r"does not say what it is for"),
        ("[ingestors]\ndisabled = 3", r"ingestors.disabled must be a list of strings"),
        ("[ingestors]\nrules = []", r"ingestors.rules is not known; known are .*\[\[ingestors.rule\]\]"),
        ("[[ingestor]]\nname = 'a'", r"`ingestor` stands outside of a section; .*`\[\[ingestors.rule\]\]`"),
    ],
)
def test_what_else_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rules(text)


def test_a_very_long_pattern_is_refused() -> None:
    with pytest.raises(InputError, match="make two rules"):
        rules(LOSS.replace("epoch", "e" * 5_000))


WORDS = st.sampled_from(["name", "regex", "files", "json", "yaml", "series", "to", "type", "prefix", "step", "utility"])
SCALARS = (
    st.text(max_size=20)
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["a", "file", *FORMS])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=2)


@given(st.lists(st.dictionaries(WORDS | st.text(max_size=4), VALUES, max_size=6), max_size=3) | VALUES)
def test_anything_is_rules_or_refused(entries: object) -> None:
    try:
        parse_rules("the configuration", entries)
    except InputError as error:
        assert "rule" in str(error)  # noqa: PT017
