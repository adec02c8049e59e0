"""Ingestors that are programs: JSON in, JSON out, and nothing that they do harms anybody."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ingestor_samples import occurrence
from processes import eventually

from provgraph.errors import InputError
from provgraph.ingestors.port import Ingestor, Moment
from provgraph.ingestors.programs import Program, ProgramError

SIDECAR = b'files = ["*.log"]\ndirection = "generated"\n'


def program(folder: Path, text: str, sidecar: bytes = SIDECAR, time_s: float = 30.0) -> Program:
    path = folder / "loss.sh"
    path.write_text(text)
    path.chmod(0o700)
    return Program("loss", path, sidecar, "1", time_s)


def ingest(folder: Path, text: str, **more: Any) -> Any:
    return program(folder, text, **more).ingest(occurrence(folder, {"a.log": "epoch 1 loss 0.5\n", "b.txt": "x"}))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_the_occurrence_comes_in_and_findings_go_out(tmp_path: Path) -> None:
    text = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps({{'activity': json.load(sys.stdin)}}))\n"
    found = ingest(tmp_path, text)["activity"]
    assert found["schema"] == "provgraph/occurrence/1"
    assert found["activity"]["command"] == "python train.py"
    assert [file["path"] for file in found["generated"]] == ["a.log", "b.txt"]
    assert Path(found["generated"][0]["content"]).read_text() == "epoch 1 loss 0.5\n"


def test_a_shell_finds_its_files_in_the_environment(tmp_path: Path) -> None:
    text = """#!/bin/sh
printf '%s' "$PROVDB_FILES" | while IFS="$(printf '\\t')" read -r direction path content; do
    awk -v name="${direction}_$path" '/loss/ { printf "{\\"activity\\": {\\"%s\\": %s}}", name, $4 }' "$content"
done
"""
    assert ingest(tmp_path, text) == {"activity": {"generated_a.log": 0.5}}


@pytest.mark.skipif(shutil.which("perl") is None, reason="there is no perl here")
def test_another_language(tmp_path: Path) -> None:
    text = """#!/usr/bin/env perl
use JSON::PP; local $/; my $given = decode_json(<STDIN>);
print encode_json({ activity => { utility => $given->{activity}{utility} . '!' } });
"""
    assert ingest(tmp_path, text) == {"activity": {"utility": "python!"}}


def test_it_says_nothing_where_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert ingest(tmp_path, "#!/bin/sh\nexit 0\n") is None
    assert isinstance(program(tmp_path, "#!/bin/sh\n"), Ingestor)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho no json\n", "no JSON"),
        ("#!/bin/sh\necho '[1]'\n", "it printed list, not an object"),
        ("#!/bin/sh\necho 'it broke' >&2; exit 3\n", "status 3: it broke"),
        ("#!/bin/sh\nkill -9 $$\n", "signal 9"),
        ("#!/nowhere/interpreter\n", "cannot be started"),
        ("no first line\n", "cannot be started: Exec format error; its first line must name an interpreter"),
        ("#!/bin/sh\nyes '[[[[[[[['\n", "it printed more than 8 MiB"),
        ("#!/bin/sh\nawk 'BEGIN { while (n++ < 200000) printf \"[\" }'\n", "no JSON"),
    ],
)
def test_what_fails_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        ingest(tmp_path, text)


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    text = f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/self; sleep 1000\n"
    with pytest.raises(ProgramError, match="ended after 2 s"):
        ingest(tmp_path, text, time_s=2.0)
    pids = [int((tmp_path / name).read_text()) for name in ("child", "self")]
    eventually(lambda: all(gone(pid) for pid in pids))


def test_what_it_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    text = f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/child; echo '{{}}'\n"
    began = time.monotonic()
    assert ingest(tmp_path, text, time_s=500.0) == {}
    assert time.monotonic() - began < 400
    eventually(lambda: gone(int((tmp_path / "child").read_text())))


def test_a_large_occurrence_that_nobody_reads_blocks_nobody(tmp_path: Path) -> None:
    given = occurrence(tmp_path, {f"{n}.log": "x" for n in range(2_000)})
    assert program(tmp_path, "#!/bin/sh\nexec <&-; sleep 0.1; echo '{}'\n").ingest(given) == {}


def test_it_sees_no_secrets_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    found = ingest(tmp_path, '#!/bin/sh\nprintf \'{"activity": {"n": "%s"}}\' "$(env | grep -c AWS_SECRET)"\n')
    assert found["activity"]["n"] == "0"


@pytest.mark.parametrize(
    ("sidecar", "said"),
    [
        (b"x = [", "is no TOML"),
        (b"\xff", "is no TOML"),
        (b"match = 1", "the key 'match' is not known; known are description"),
        (b"moment = 'during'", "moment is 'during'; it must be one of after, before"),
        (b"utility = '('", "no regular expression"),
        (b"files = 'x'", "list of strings"),
        (b"direction = 'x'", "must be one of used"),
        (b"description = 3", "must be a string"),
    ],
)
def test_a_sidecar_that_is_wrong_is_said(tmp_path: Path, sidecar: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        program(tmp_path, "#!/bin/sh\n", sidecar)


def test_a_sidecar_says_when(tmp_path: Path) -> None:
    one = program(tmp_path, "#!/bin/sh\n", b"moment = 'before'\nutility = 'python.*'\ndescription = 'd'\n")
    assert (one.moment, one.match.utility, one.description) == (Moment.BEFORE, "python.*", "d")
