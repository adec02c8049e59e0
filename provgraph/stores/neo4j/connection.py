"""Connections to a team's server: tried at once, quiet, and never waited for longer than a person waits."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from provgraph.stores.neo4j import failures
from provgraph.stores.neo4j.remote import Remote

if TYPE_CHECKING:
    import neo4j

VERIFY_S: Final = 4.5
"""Within this time a server has answered that it is there, or an error says why not."""
_IDLE_S: Final = 20.0
"""A connection that was idle for longer is tried before it is used: the server may have been restarted."""
_OLDEST: Final = 5


class Connection:
    """A verified way to a server. Usable from several threads.

    Parameters:
        remote: the server; its database is asked.

    Raises:
        RemoteError: it cannot be reached or refuses; within 5 s.
        QuestionError: an address that is none, or is refused.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._driver = _Attempt(remote).driver()

    @contextmanager
    def session(self, *, write: bool = False, fetch_size: int = 1000) -> "Iterator[neo4j.Session]":
        """A session; errors within the block become ``RemoteError``."""
        with failures.told(self.remote):
            mode = "WRITE" if write else "READ"
            options: dict[str, Any] = {"database": self.remote.database, "default_access_mode": mode}
            with self._driver.session(fetch_size=fetch_size, **options) as session:
                yield session

    def close(self) -> None:
        """Close all connections."""
        with suppress(Exception):  # the server may be gone
            self._driver.close()


class _Attempt:
    """A first connection, made in a thread: looking up a name cannot be given up otherwise."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self._address = remote, remote.address
        self._driver: neo4j.Driver | None = None
        self._error: BaseException | None = None
        self._lock, self._given_up = threading.Lock(), False

    def driver(self) -> "neo4j.Driver":
        import neo4j  # noqa: F401 - half a second that is no fault of the server's

        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            thread.join(VERIFY_S)
        finally:
            with self._lock:
                self._given_up = self._driver is None
        if self._driver is not None:
            return self._driver
        raise self._error or failures.silent(self.remote)

    def _run(self) -> None:
        try:
            driver = self._verified()
        except BaseException as error:  # noqa: BLE001 - raised again where somebody waits
            self._error = error
            return
        with self._lock:
            if not self._given_up:
                self._driver = driver
                return
        driver.close()

    def _verified(self) -> "neo4j.Driver":
        import neo4j

        # Without a handler Python's logging writes the driver's warnings to stderr.
        logging.getLogger("neo4j").addHandler(_silence)
        with failures.told(self.remote):
            driver = neo4j.GraphDatabase.driver(
                self._address,
                auth=(self.remote.user, self.remote.password),
                connection_timeout=VERIFY_S - 1,
                connection_acquisition_timeout=VERIFY_S - 0.8,
                liveness_check_timeout=_IDLE_S,
                notifications_min_severity="OFF",
                telemetry_disabled=True,
                user_agent=_user_agent(),
            )
            try:
                agent = driver.get_server_info().agent
                if _release(agent) < _OLDEST:
                    raise failures.too_old(self.remote, agent)
                # Only a query shows an expired password, or a database that is not there.
                with driver.session(database=self.remote.database, default_access_mode="READ") as session:
                    session.run("RETURN 1").consume()
            except BaseException:
                driver.close()
                raise
        return driver


_silence: Final = logging.NullHandler()


def _release(agent: str) -> int:
    """The first number in ``Neo4j/5.26.0``; 0 for what says that it is something else."""
    product, _, version = agent.partition("/")
    number = version.partition(".")[0]
    return int(number) if product == "Neo4j" and number.isdecimal() else 0


def _user_agent() -> str:
    import provgraph

    return f"provgraph/{provgraph.__version__}"
