"""Damaged stores are named by ``doctor``; rebuilding, backups, giving space back, hashing that comes later."""

import hashlib
import json
import os
import sqlite3
import tarfile

import pytest
from laboratory import Lab


@pytest.fixture
def told(lab, wait_for) -> Lab:
    """A project with a little history, and nobody at work."""
    lab.write("in", "1\n")
    for number in range(5):
        lab.run("sh", "-c", f"cat in > out; echo {number} >> out")
    lab.settle()
    lab.provdb.json("doctor")
    return lab


def _bad(lab) -> list[dict[str, str]]:
    """What doctor calls bad; its exit status agrees."""
    done = lab.run("doctor", "--json", check=None)
    assert "Traceback" not in done.stderr
    if not done.stdout:
        return [{"check": "store", "text": done.stderr, "subject": ""}] if done.returncode == 3 else []
    report = json.loads(done.stdout)
    found = [finding for finding in report["findings"] if finding["state"] == "bad"]
    assert done.returncode == (3 if found else 0)
    assert report["healthy"] is not bool(found)
    return found


def test_a_damaged_object(told):
    digest = hashlib.sha256(b"1\n3\n").hexdigest()
    path = told.root / ".provdb/objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"1\n4\n\x00")
    (found,) = _bad(told)
    assert found["check"] == "objects"
    assert "out@4" in found["text"]
    assert str(path) in found["subject"]
    refused = told.run("restore", "out@4", "-o", "-", check=None)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "damaged" in refused.stderr
    assert told.run("restore", "out@3", "-o", "-").stdout == "1\n2\n"
    told.run(*found["remedy"].split(), check=None) if found["remedy"].startswith("provdb") else path.unlink()
    assert not _bad(told)
    assert told.run("restore", "out@4", "-o", "-", check=None).returncode == 1


def _truth_on_disk(lab) -> None:
    """What lies in a log is brought into the files, so that they can be damaged."""
    for name in ("journal.db", "graph.db"):
        db = sqlite3.connect(lab.root / ".provdb" / name)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


def test_a_damaged_page_of_the_journal(told):
    _truth_on_disk(told)
    journal = told.root / ".provdb/journal.db"
    size = journal.stat().st_size
    with journal.open("r+b") as file:
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(64))
    before = journal.read_bytes()
    found = _bad(told)
    assert found
    assert any("journal" in finding["check"] + finding["text"] for finding in found)
    assert any("backup" in finding["remedy"] + finding["text"] for finding in found)
    assert told.run("sh", "-c", "echo still; exit 4", check=4).stdout == "still\n"
    asked = told.run("log", check=None)
    assert "Traceback" not in asked.stderr
    assert journal.read_bytes()[:100] == before[:100]


def test_a_damaged_event(told):
    db = sqlite3.connect(told.root / ".provdb/journal.db")
    for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("UPDATE event SET body = zeroblob(20) WHERE seq = 4")
    db.commit()
    db.close()
    found = _bad(told)
    assert any("event 4" in finding["text"] + finding["subject"] for finding in found)


def test_a_damaged_projection(told, sound):
    _truth_on_disk(told)
    graph = told.root / ".provdb/graph.db"
    with graph.open("r+b") as file:
        for page in range(1, graph.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(512))
    assert "used in@1" in told.run("lineage", "out").stdout, "made anew from the journal without a word"
    sound(told)


def test_a_projection_that_says_something_else(told, sound):
    db = sqlite3.connect(told.root / ".provdb/graph.db")
    db.execute("DELETE FROM edge WHERE source = (SELECT max(source) FROM edge)")
    db.commit()
    db.close()
    (found,) = _bad(told)
    assert found["check"] == "projection"
    assert found["remedy"] == "provdb doctor --rebuild"
    told.run("doctor", "--rebuild")
    sound(told)


def test_rebuilding_gives_the_same_digest(told):
    first = told.provdb.json("doctor", "--rebuild")["digest"]
    assert first == told.provdb.json("doctor", "--rebuild")["digest"]
    (told.root / ".provdb/graph.db").unlink()
    assert first == told.provdb.json("doctor", "--rebuild")["digest"]


def test_a_backup_made_while_commands_run_becomes_a_project_again(told, tmp_path, make_provdb, sound):
    running = [told.start("sh", "-c", f"cat in > more.{number}") for number in range(4)]
    target = tmp_path / "backup.tar"
    told.run("doctor", "--backup", str(target))
    assert [process.wait(60) for process in running] == [0] * 4
    again = told.run("doctor", "--backup", str(target), check=2)
    assert "already" in again.stderr
    assert target.stat().st_mode & 0o077 == 0, "what is private stays private"
    restored = tmp_path / "restored"
    restored.mkdir()
    with tarfile.open(target) as tar:
        tar.extractall(restored, filter="tar")
    there = Lab(make_provdb(restored))
    assert there.run("restore", "out@2", "-o", "-").stdout == "1\n1\n"
    assert "used in@1" in there.run("lineage", "out@5").stdout
    there.run("sh", "-c", "echo new > next")
    graph = sound(there)
    assert len([uid for uid in graph.of("Command") if "cat in > out;" in graph.vertices[uid]["command"]]) == 5


def test_rule_16_giving_space_back(lab, sound):
    sizes = {}
    for number in range(6):
        lab.write("source", os.urandom(50_000))
        lab.run("sh", "-c", "cat source > result")
        sizes[number] = hashlib.sha256((lab.root / "result").read_bytes()).hexdigest()
    lab.settle()
    dry = lab.provdb.json("gc", "--to", "150000", "--dry-run")
    assert lab.run("restore", "result@1", "-o", "-", text=False).stdout
    done = lab.provdb.json("gc", "--to", "150000")
    assert (dry["removed"], dry["freed_bytes"]) == (done["removed"], done["freed_bytes"])
    assert 0 < done["kept_bytes"] <= 150_000
    kept = [lab.run("restore", f"result@{number + 1}", "-o", "-", text=False, check=None) for number in range(6)]
    statuses = [answer.returncode for answer in kept]
    assert statuses == sorted(statuses, reverse=True), "the oldest go first"
    assert statuses[0] == 1
    assert statuses[-1] == 0
    assert sizes[0].encode() in kept[0].stderr
    assert b"not in this store" in kept[0].stderr
    rows = lab.provdb.rows("MATCH (s:Snapshot {path: 'result'}) RETURN s.sha256, s.restorable ORDER BY s.sequence")
    assert [row[0] for row in rows] == list(sizes.values()), "digests stay"
    assert [row[1] for row in rows] == [status == 0 for status in statuses]
    lab.run("gc", "--to", "0")
    assert not [path for path in (lab.root / ".provdb/objects").rglob("*") if path.is_file()]
    sound(lab)


def test_rule_16_a_budget_holds_while_commands_run(lab, sound):
    (lab.root / ".provdb/config.toml").write_text("[objects]\nbudget_bytes = 120000\n")
    lab.run("trust", ".")
    for _ in range(6):
        lab.write("source", os.urandom(30_000))
        lab.run("sh", "-c", "cat source > result")
        lab.settle()
        objects = [path for path in (lab.root / ".provdb/objects").rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in objects) <= 120_000
    assert len(lab.run("restore", "result", "-o", "-", text=False).stdout) == 30_000
    sound(lab)


def test_rule_18_what_is_too_large_to_hash_at_once_is_hashed_later(lab, wait_for, sound):
    (lab.root / ".provdb/config.toml").write_text("[limits]\nhash_bytes = 1000\n")
    lab.run("trust", ".")
    lab.write("big", os.urandom(5000))
    lab.write("other", os.urandom(5000))
    digest = hashlib.sha256((lab.root / "big").read_bytes()).hexdigest()
    script = "head -c 10 big > out; head -c 10 other >> out; exec sleep 30"
    running = lab.start("sh", "-c", script)

    def uses() -> bool:
        graph = lab.graph()
        return bool(graph.snapshots("big")) and bool(graph.snapshots("other"))

    wait_for(uses, "the journaling of what a running command uses")
    first = lab.graph()
    unhashed = {first.vertices[uid].get("content") for uid in first.snapshots("big") + first.snapshots("other")}
    assert unhashed == {"unhashed"}
    lab.write("other", os.urandom(5001))
    running.terminate()
    running.wait(60)
    lab.settle()

    def hashed() -> bool:
        lab.provdb.command(["true"])
        graph = lab.graph()
        return graph.vertices[graph.snapshots("big")[0]].get("sha256") == digest

    wait_for(hashed, "hashing at idle time")
    graph = sound(lab)
    vertex = graph.vertices[graph.snapshots("big")[0]]
    assert vertex.get("content") is None
    other = graph.vertices[graph.snapshots("other")[0]]
    assert other.get("sha256") is None, "never a digest of what it is not any more"
    assert lab.provdb.rows("MATCH (s:Snapshot {path: 'big'}) RETURN s.sha256") == [[digest]]
