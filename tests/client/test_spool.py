"""The spool: each record one line, nothing lost of a name, no failure that a command would notice."""

import json
import os
import re
import resource
import stat
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.client.light_json import loads
from provgraph.client.spool import SpoolFile, dumps, new_activity_uid

TEXT = st.text(st.characters(codec=None, exclude_categories=())) | st.binary().map(os.fsdecode)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


@given(VALUES)
def test_json_comes_back(value):
    line = dumps(value)
    assert b"\n" not in line
    assert line.isascii()
    assert json.loads(line) == value == loads(line.decode())
    assert line == json.dumps(value, separators=(",", ":")).encode()


def test_bytes_of_file_names_come_back():
    raw = bytes(range(1, 256))
    assert os.fsencode(json.loads(dumps({"path": os.fsdecode(raw)}))["path"]) == raw
    assert dumps("\udcff") == b'"\\udcff"'


def test_what_json_lacks():
    assert dumps([float("nan"), float("inf"), (1, {"a": float("-inf")})]) == b'[null,null,[1,{"a":null}]]'
    assert json.loads(dumps({"x": {1, 2}.__class__})) == {"x": "<class 'set'>"}


@pytest.mark.parametrize("text", ["", "{", "[1,]", "1 2", '{"a": 1}x', "nope"])
def test_what_is_no_json(text):
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)


def test_uids_sort_by_time():
    before = time.time_ns() // 1_000_000
    uids = [new_activity_uid() for _ in range(200)]
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uid) for uid in uids
    )
    assert len(set(uids)) == 200
    assert before <= int(uids[0].replace("-", "")[:12], 16) <= time.time_ns() // 1_000_000
    time.sleep(0.002)
    assert new_activity_uid() > uids[0]


def test_records_are_lines_of_a_private_file(tmp_path):
    path = tmp_path / "a.jsonl"
    spool = SpoolFile(str(path))
    assert spool.append({"record": "start", "n": 1}, sync=True)
    assert spool.append_line(b'{"record":"end"}')
    spool.close()
    assert [json.loads(line)["record"] for line in path.read_text().splitlines()] == ["start", "end"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not os.get_inheritable(SpoolFile(str(path)).fileno())
    assert spool.failed is None


def test_writers_at_once_do_not_mix_lines(tmp_path):
    path = str(tmp_path / "a.jsonl")

    def write(number):
        spool = SpoolFile(path)
        for i in range(200):
            spool.append({"writer": number, "i": i, "padding": "x" * 3000})
        spool.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(path) as file:
        records = [json.loads(line) for line in file]
    assert len(records) == 800
    for number in range(4):
        assert [record["i"] for record in records if record["writer"] == number] == list(range(200))


def test_no_folder_a_link_and_a_full_disk_are_told_not_raised(tmp_path):
    gone = SpoolFile(str(tmp_path / "absent/a.jsonl"))
    assert gone.failed == "No such file or directory"
    assert not gone.append({})
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert SpoolFile(str(tmp_path / "link")).failed
    full = SpoolFile("/dev/full")
    if full.fileno() >= 0:
        assert not full.append({"record": "start"})
        assert full.failed == "No space left on device"


def test_a_torn_record_is_taken_back(tmp_path):
    path = tmp_path / "a.jsonl"
    code = f"""
import resource, signal
from provgraph.client.spool import SpoolFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = SpoolFile({str(path)!r})
assert spool.append({{"n": 1}})
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
assert not spool.append({{"n": "x" * 500}})
assert spool.failed == "File too large", spool.failed
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert spool.append({{"n": 2}})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert path.read_text() == '{"n":1}\n{"n":2}\n'
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_root_gives_the_file_to_the_owner_of_the_store(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chown(tmp_path, 12345, 12345)
    spool = SpoolFile(str(tmp_path / "a.jsonl"))
    assert os.fstat(spool.fileno()).st_uid == 12345


def test_the_wrapping_path_imports_nothing_heavy():
    client = "spool project path_class scrub_words light_json statwalk settings surroundings supervised moments".split()
    modules = [*(f"client.{name}" for name in client), "capture.privileged", "capture.audit", "capture.inside"]
    code = "import sys; " + "; ".join(f"import provgraph.{name}" for name in modules) + "; print(*sys.modules)"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ)
    loaded = set(done.stdout.split())
    assert not loaded & {"json", "re", "typing", "dataclasses", "subprocess", "click", "uuid", "hashlib", "threading"}
