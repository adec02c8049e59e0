"""How fast events are journaled, and how soon after its prompt a small command can be asked about."""

from __future__ import annotations

import fcntl
import json
import statistics
import time
from datetime import UTC, datetime

from scratch import Bench, Scratch
from synthetic import history
from table import Figure, at_least, at_most, for_information


def measure(bench: Bench) -> list[Figure]:
    """Events written through the journal's own interface; commands that waited for an ingester; single commands."""
    return [_journal(bench), *_backlog(bench), *_prompt(bench)]


def _journal(bench: Bench) -> Figure:
    """One event for an activity with two outputs: journal and projection, a transaction for each hundred."""
    project = bench.project("journal").init()
    made = history(project.root, layers=10 if bench.quick else 100, width=100, per_batch=100)
    remarks = f"{made.events:,} events, {made.vertices:,} vertices and {made.edges:,} edges in {made.seconds:.1f} s"
    rate = made.events / made.seconds
    return at_least("events journaled and projected", 2000, rate, "events/s", "journal.batch()", remarks)


def _backlog(bench: Bench) -> list[Figure]:
    """Commands run while nobody ingests; then one question, which ingests them all."""
    commands = 30 if bench.quick else 300
    project = bench.project("backlog")
    (project.root / "in").write_text("content")
    project.init()
    with (project.root / ".provdb" / "ingester.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number in range(commands):
            project.wrap(["cp", "in", f"out{number}"])
        time.sleep(6)  # an ingester that waits for the lock gives up
    began = time.monotonic()
    project.text("status")
    project.settle(0)
    took_s = time.monotonic() - began
    events = _events(project)
    remarks = f"{commands} commands `cp in outN` of which nothing was ingested: {took_s / commands * 1000:.1f} ms each"
    rate = events / took_s
    return [
        at_least("ingest from the spool, objects included", 2000, rate, "events/s", "provdb status", remarks),
        for_information("the same in commands", commands / took_s, "commands/s", "provdb status"),
    ]


def _events(project: Scratch) -> int:
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(project.root / ".provdb" / "journal.db") as db:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])


def _prompt(bench: Bench) -> list[Figure]:
    """From the prompt after a small command until an answer that knows its output."""
    project = bench.project("prompt")
    (project.root / "in").write_text("content")
    project.init()
    answers, delays = [], []
    for number in range(bench.rounds(20)):
        project.wrap(["cp", "in", f"asked{number}"])
        began = time.monotonic()
        document = project.json("show", f"asked{number}")
        answers.append(time.monotonic() - began)
        assert any(related["type"] == "wasGeneratedBy" for related in document["relations"]), document
        project.settle()
    query = "MATCH (a:Activity) RETURN a.ended_at ORDER BY a.ended_at DESC LIMIT 1"
    for number in range(bench.rounds(10)):
        project.wrap(["cp", "in", f"watched{number}"])
        began, moment = time.monotonic(), datetime.now(UTC)
        project.settle(0)
        delays.append(time.monotonic() - began)
        (ended,) = json.loads(project.text("cypher", query, "--json"))["rows"][0]
        assert abs((datetime.fromisoformat(ended) - moment).total_seconds()) < 30, ended
        project.settle()
    answer_s, delay_s = statistics.median(answers), statistics.median(delays)
    remarks = f"the question's own process included; from {min(answers):.2f} to {max(answers):.2f} s"
    quiet = f"when nobody asks; from {min(delays):.2f} to {max(delays):.2f} s"
    return [
        at_most("from the prompt to the answer", 0.5, answer_s, "s", "provdb cp in out; provdb show out", remarks),
        for_information("from the prompt to an empty spool", delay_s, "s", "provdb cp in out", quiet),
    ]
