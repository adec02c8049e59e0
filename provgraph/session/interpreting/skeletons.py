"""What ``provdb ingestors new`` writes: an ingestor that works, in several languages, and its test.

All do the same: of a file ``*.result`` that a command wrote, lines like ``score=0.93`` become metrics of the command.
"""

from typing import Final, NamedTuple

_PYTHON: Final = '''\
"""The ingestor NAME: lines like `score=0.93` in what a command wrote become metrics of the command."""

from provgraph.ingestors.port import Findings, Match, Moment


class Ingestor:
    """Sees commands that write a file *.result."""

    name = "NAME"
    version = "1"
    description = "metrics from *.result files"
    moment = Moment.AFTER
    match = Match(files=("*.result",), direction="generated")

    def ingest(self, occurrence):
        findings = Findings()
        for file in occurrence.matching(self.match):
            with file.open() as stream:
                text = stream.read(1_000_000).decode("utf-8", "replace")
            for line in text.splitlines():
                name, equals, value = line.partition("=")
                if equals:
                    try:
                        findings.activity(**{f"metric_{name.strip()}": float(value)})
                    except ValueError:
                        findings.note(f"{file.path}: {line!r} has no number")
        return findings.to_json()


INGESTOR = Ingestor()
'''

_SH: Final = """\
#!/bin/sh
# The ingestor NAME: lines like `score=0.93` in what a command wrote become metrics of the command.
#
# Standard input is the whole occurrence as JSON. For scripts that read none, PROVDB_FILES has a line for each file that
# NAME.toml names: direction, path, and where its bytes lie (empty where nobody has them), with tabs between.
# What is printed must be a document provgraph/findings/1; nothing at all where there is nothing to say.

printf '%s' "$PROVDB_FILES" | while IFS="$(printf '\\t')" read -r direction path content; do
    if [ -n "$content" ]; then cat "$content"; fi
done | awk -F= '
    NF == 2 && $1 ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && $2 ~ /^-?[0-9]+(\\.[0-9]+)?$/ {
        value[$1] = $2
    }
    END {
        for (name in value) {
            found = found separator "\\"metric_" name "\\": " value[name]
            separator = ", "
        }
        if (found) print "{\\"schema\\": \\"provgraph/findings/1\\", \\"activity\\": {" found "}}"
    }'
"""

_PERL: Final = """\
#!/usr/bin/env perl
# The ingestor NAME: lines like `score=0.93` in what a command wrote become metrics of the command.
#
# Standard input is an occurrence, provgraph/occurrence/1; what is printed must be findings, provgraph/findings/1.
use strict;
use warnings;
use JSON::PP;

local $/;
my $occurrence = decode_json(<STDIN>);
my (%activity, @notes);
for my $file (@{ $occurrence->{generated} }) {
    next unless $file->{path} =~ /\\.result$/ && defined $file->{content};
    open(my $stream, '<', $file->{content}) or next;
    for my $line (split /\\n/, <$stream>) {
        if ($line =~ /^\\s*(\\w+)\\s*=\\s*(-?\\d+(?:\\.\\d+)?)\\s*$/) { $activity{"metric_$1"} = $2 + 0 }
        elsif ($line =~ /=/)                                      { push @notes, "$file->{path}: no number in $line" }
    }
}
print JSON::PP->new->canonical->encode(
    { schema => 'provgraph/findings/1', activity => \\%activity, notes => \\@notes });
"""

_SIDECAR: Final = """\
# Which commands the program NAME beside this file is for: all that is given must fit.
description = "metrics from *.result files"
files = ["*.result"]            # globs as in .gitignore; media_types = ["text/csv"] is another way
direction = "generated"         # used, generated or both
# utility = 'python[0-9.]*'     # a regular expression for the whole of the program's name
# command = 'evaluate'          # a regular expression that is found somewhere in the command line
# moment = "after"              # or before: as soon as the command has begun
"""

_RULE: Final = """\
[[ingestors.rule]]
name = "NAME"
description = "metrics from *.result files"
files = ["*.result"]            # globs as in .gitignore
direction = "generated"         # used, generated or both
# utility = 'python[0-9.]*'     # a regular expression for the whole of the program's name
# command = 'evaluate'          # a regular expression that is found somewhere in the command line
regex = '^score=(?P<score>\\d+\\.\\d+)$'   # searched in each line; each named group becomes a property
# json = "results.score"        # or instead of it a path into a document; jsonl, yaml and toml as well
prefix = "metric_"
# to = "file"                   # properties of the file; without it, of the command
# series = true                 # all values, not the last alone
"""

_TEST: Final = """\
# `provdb ingestors test NAME` runs the ingestor on this and compares.
command = "python evaluate.py"

[generated]                     # files that the command wrote: their text, or { file = "beside-this-one.bin" }
"out/first.result" = '''
score=0.5
score=0.93
'''

# [used]                        # files that it read

[expected.activity]             # of what is found, at least this
metric_score = 0.93
"""


class Skeleton(NamedTuple):
    """One language: the files of an ingestor by their endings, and whether the first one is a program."""

    files: dict[str, str]
    is_program: bool = False


SKELETONS: Final = {
    "python": Skeleton({".py": _PYTHON}),
    "sh": Skeleton({".sh": _SH, ".toml": _SIDECAR}, is_program=True),
    "perl": Skeleton({".pl": _PERL, ".toml": _SIDECAR}, is_program=True),
    "rule": Skeleton({}),
}


def rule(name: str) -> str:
    """A rule for the configuration."""
    return _RULE.replace("NAME", name)


def test_of(name: str) -> str:
    """The test of a skeleton."""
    return _TEST.replace("NAME", name)


def files_of(language: str, name: str) -> dict[str, str]:
    """The files of a skeleton, by their names."""
    return {f"{name}{ending}": text.replace("NAME", name) for ending, text in SKELETONS[language].files.items()}
