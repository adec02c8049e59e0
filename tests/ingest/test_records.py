"""Following a spool file."""

import json
import os

from provgraph.ingest.records import SpoolTail, alive, spool_files


def _accept(record):
    if "record" not in record:
        raise ValueError("no record")


def test_a_torn_last_line_waits_for_its_end(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"record":"start"}\n{"rec')
    tail = SpoolTail(str(file), _accept)
    assert [record["record"] for record in tail.read()] == ["start"]
    assert list(tail.read()) == []
    with file.open("ab") as more:
        more.write(b'ord":"end"}\n')
    assert [record["record"] for record in tail.read()] == ["end"]


def test_a_line_that_is_no_record_is_kept_beside_and_counted(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"record":"start"}\nnonsense\n{"other":1}\n{"record":"end"}\n')
    tail = SpoolTail(str(file), _accept)
    assert [record["record"] for record in tail.read()] == ["start", "end"]
    assert tail.rejected == 2
    assert (tmp_path / "a.jsonl.rejected").read_bytes() == b'nonsense\n{"other":1}\n'


def test_lone_surrogates_pass(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"record": "progress", "path": "caf\udce9"}) + "\n")
    (record,) = SpoolTail(str(file), _accept).read()
    assert os.fsencode(record["path"]) == b"caf\xe9"


def test_files_come_oldest_first_and_others_are_left_alone(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "a.jsonl.failed", "pre"):
        (tmp_path / name).write_bytes(b"")
    assert [os.path.basename(path) for path in spool_files(str(tmp_path))] == ["a.jsonl", "b.jsonl"]
    assert spool_files(str(tmp_path / "missing")) == []


def test_a_supervisor_is_told_from_one_that_took_its_pid():
    with open("/proc/self/stat", "rb") as stat:
        ticks = int(stat.read().rpartition(b")")[2].split()[19])
    me = {"supervisor": os.getpid(), "supervisor_start": ticks}
    assert alive(me)
    assert not alive({**me, "supervisor_start": ticks + 1})
    assert not alive({**me, "boot_id": "another boot"})
    assert not alive({"supervisor": 2**22 + 1, "supervisor_start": 0})
    began = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert alive({"supervisor": os.getpid(), "t": began})
    assert not alive({"supervisor": os.getpid(), "t": began - 5_000_000_000})
