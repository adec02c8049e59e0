"""What the command says where the server is away: one line with the next step, exit status 3, and nothing is lost."""

import contextlib
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from troubled_network import network


@pytest.fixture
def events(provdb: Any, project: Path) -> Any:
    """A project with one command in it; how many events its journal holds."""
    provdb("sh", "-c", "echo 1 > data.csv")
    provdb("status")  # it is ingested

    def count() -> int:
        with contextlib.closing(sqlite3.connect(project / ".provdb/journal.db")) as journal:
            (events,) = journal.execute("SELECT count(*) FROM event").fetchone()
            return int(events)

    return count


def test_server_is_away_and_comes_back(provdb: Any, events: Any, neo4j_server: Any) -> None:
    before = events()
    with network(neo4j_server.port) as between:
        url = f"bolt://127.0.0.1:{between.port}"
        provdb("remote", "add", "team", url, "--user", "neo4j", "--password-stdin", input=neo4j_server.password)
        between.allowance = 0
        for words in (["push"], ["pull"], ["log", "--at", "team"], ["cypher", "RETURN 1", "--at", "team"]):
            done = provdb(*words, check=3)
            assert len(done.stderr.strip().splitlines()) == 1, words
            assert f"127.0.0.1:{between.port}" in done.stderr, words
            assert neo4j_server.password not in done.stderr
        assert events() == before
        assert provdb("sh", "-c", "wc -l < data.csv").stdout.strip() == "1", "work goes on"
        between.allowance = None
        provdb("push")
        assert "wc -l" in provdb("log", "--at", "team").stdout


def test_nobody_listens_for_a_whole_day(provdb: Any, events: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"bolt://127.0.0.1:{free.getsockname()[1]}"
        provdb("remote", "add", "team", url, "--user", "neo4j", "--password-stdin", input="never sent")
        before = events()
        done = provdb("push", check=3)
        assert "nobody listens" in done.stderr
        assert events() == before
