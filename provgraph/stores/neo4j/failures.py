"""What the driver raises, as what a person is told: what is wrong, where, and what to do next."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from provgraph.errors import RemoteError
from provgraph.stores.neo4j.remote import Remote
from provgraph.stores.remote_url import typed

_FULL: Final = ("no space left", "disk full", "disk is full", "not enough space")
_MEMORY: Final = ("memorypooloutofmemory", "outofmemory", "transactionoutofmemory")
_PROBE_S: Final = 0.6
_UNHARMED: Final = "what is recorded here is unharmed"


class Behind(RemoteError):  # noqa: N818 - nothing is wrong
    """The server has other events of an origin than the batch goes on from: ask ``received()`` again."""


class Forgotten(RemoteError):  # noqa: N818 - nothing is wrong
    """What is sent was forgotten by a colleague, and the sender does not know yet."""


@contextmanager
def told(remote: Remote) -> Iterator[None]:
    """Errors of the driver become ``RemoteError``; the driver's own are their causes.

    Raises:
        RemoteError: whatever the driver raised within.
    """
    from neo4j.exceptions import DriverError, Neo4jError

    try:
        yield
    except (Neo4jError, DriverError) as error:
        raise translated(error, remote) from error
    except OSError as error:
        raise _lost(remote) from error
    except Exception as error:
        # Answers that are no Bolt (a cut or garbled connection) raise what the driver does not publish.
        if not _within_driver(error):
            raise
        raise _no_bolt(remote) from error


def translated(error: Exception, remote: Remote) -> RemoteError:
    """What to tell of an error of the driver."""
    from neo4j.exceptions import ConfigurationError, Neo4jError, ServiceUnavailable, SessionExpired

    if isinstance(error, Neo4jError):
        return _of_server(str(error.code or ""), str(error.message or error), remote)
    if isinstance(error, ServiceUnavailable | SessionExpired):
        return _of_connection(error, remote)
    if "Handshake" in type(error).__name__ or type(error).__name__ == "UnsupportedServerProduct":
        return _too_old(remote)
    if isinstance(error, ConfigurationError):
        return RemoteError(f"{remote.url} cannot be used: {error}; see `provdb remote list`", passing=False)
    return RemoteError(f"the server at {remote.place} could not be asked: {_line(error)}; {_UNHARMED}")


def _of_server(code: str, message: str, remote: Remote) -> RemoteError:
    """What the server answered."""
    place, name = remote.place, code.rpartition(".")[2]
    whole = f"{code} {message}".lower()
    if name == "CredentialsExpired":
        return RemoteError(
            f"the password of {remote.user} at {place} has expired: choose a new one in Neo4j Browser or cypher-shell "
            f"(ALTER CURRENT USER SET PASSWORD …), then {_again(remote)}",
            passing=False,
        )
    if name == "AuthenticationRateLimit":
        return RemoteError(f"{place} takes no more wrong passwords for now: wait a few seconds, then {_again(remote)}")
    if name in {"Unauthorized", "TokenExpired"}:
        return RemoteError(f"{place} refuses {remote.user} or the password: {_again(remote)}", passing=False)
    if name == "DatabaseNotFound":
        return RemoteError(
            f"{place} has no database {remote.database}: `{_other_database(remote)} --database NAME` names another one",
            passing=False,
        )
    if any(words in whole for words in _FULL):
        return RemoteError(f"the disk of the server at {place} is full; {_UNHARMED}. Make room there, then push again")
    if any(words in whole.replace(".", "").replace(" ", "") for words in _MEMORY):
        return RemoteError(
            f"the server at {place} has too little memory for a batch: raise server.memory.heap.max_size or "
            f"dbms.memory.transaction.total.max there; {_UNHARMED}"
        )
    if "readonly" in whole.replace(" ", "").replace("-", "").replace("_", "") or "read access mode" in whole:
        return RemoteError(
            f"the database {remote.database} at {place} is read-only; {_UNHARMED}. Its operator can make it writable "
            "(server.databases.default_to_read_only, server.databases.read_only)"
        )
    if name == "Forbidden":
        return RemoteError(f"{place} does not let {remote.user} do this: {message}", passing=False)
    if name in {"DatabaseUnavailable", "DatabaseNotUp", "GeneralError"}:
        return RemoteError(f"the database {remote.database} at {place} is not available now; {_UNHARMED}. Try again")
    passing = not code.startswith("Neo.ClientError")
    return RemoteError(f"the server at {place} refused: {message} ({code}); {_UNHARMED}", passing=passing)


def _of_connection(error: Exception, remote: Remote) -> RemoteError:
    """What became of the connection."""
    place, causes = remote.place, list(_causes(error))
    if any("looks like HTTP" in str(cause) for cause in causes):
        return _web_server(remote)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RemoteError(
                f"the certificate of {place} is not trusted here ({cause.verify_message}): let a known authority sign "
                "it, or add the one that did to this machine's certificates (SSL_CERT_FILE names a file); bolt+ssc:// "
                "takes any certificate, and with it anybody who poses as the server",
                passing=False,
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLZeroReturnError | ssl.SSLEOFError):
            return _no_tls(remote)
        if isinstance(cause, socket.gaierror):
            return RemoteError(f"there is no host {place.rpartition(':')[0]}, or no network to look it up; {_UNHARMED}")
        if isinstance(cause, ConnectionRefusedError):
            return RemoteError(
                f"nobody listens at {place}: is the server running, and the port right (Bolt's is 7687)? {_UNHARMED}"
            )
        if isinstance(cause, TimeoutError):
            return _web_server(remote) if _speaks_http(remote) else silent(remote)
    if any(type(cause).__name__ == "BoltSecurityError" for cause in causes):
        return _no_tls(remote)
    if any("handshake" in str(cause) for cause in causes):
        return _no_bolt(remote)
    return _lost(remote)


def _web_server(remote: Remote) -> RemoteError:
    return RemoteError(
        f"{remote.place} answers as a web server: that is the port of Neo4j Browser. Bolt listens on 7687 unless "
        f"configured otherwise: `provdb remote add {remote.name} {remote.url.split(':')[0]}://HOST:7687`",
        passing=False,
    )


def _speaks_http(remote: Remote) -> bool:
    """Whether what did not answer in Bolt is a web server that waits for the end of a line."""
    host, _, port = remote.place.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _PROBE_S) as connection:
            connection.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _no_tls(remote: Remote) -> RemoteError:
    return RemoteError(
        f"{remote.place} does not answer in TLS, which {remote.url} asks for: is the port right (Bolt's is 7687), and "
        "is TLS switched on there (dbms.ssl.policy.bolt.enabled)?",
        passing=False,
    )


def silent(remote: Remote) -> RemoteError:
    """Nothing was answered in time."""
    return RemoteError(
        f"{remote.place} does not answer: is the address right, and does a firewall let it through? {_UNHARMED}"
    )


def _no_bolt(remote: Remote) -> RemoteError:
    more = (
        "is the port right (Bolt's is 7687)?"
        if remote.encrypted
        else f"does it want TLS ({remote.url.split(':')[0]}+s://…), or is the port wrong (Bolt's is 7687)?"
    )
    return RemoteError(f"{remote.place} closed the connection, or does not speak Bolt: {more} {_UNHARMED}")


def _too_old(remote: Remote) -> RemoteError:
    return RemoteError(
        f"{remote.place} does not speak Bolt as this program does: is the port right (Bolt's is 7687)? "
        "A Neo4j must be 5 or later",
        passing=False,
    )


def too_old(remote: Remote, agent: str) -> RemoteError:
    """The server says that it is something else."""
    return RemoteError(f"{remote.place} is {agent}; provgraph needs Neo4j 5 or later", passing=False)


def forgotten(remote: Remote, origin: str, number: int) -> Forgotten:
    """An event is not taken as it was before somebody forgot what stood in it."""
    return Forgotten(
        f"{remote.place} does not take event {number:,} of {origin} as it is here, for a colleague has forgotten what "
        "stands in it: type `provdb pull`, then push again. Is it refused again, that colleague's push is not complete",
        passing=False,
    )


def _lost(remote: Remote) -> RemoteError:
    return RemoteError(
        f"the connection to {remote.place} was lost; what was sent before stays there, {_UNHARMED}. Try again"
    )


def _again(remote: Remote) -> str:
    return f"`provdb remote add {remote.name} {remote.url} --user {remote.user} --password-stdin` keeps another"


def _other_database(remote: Remote) -> str:
    return typed(remote.name, remote.url, insecure=remote.insecure)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):  # one for each server that was tried
            for one in error.exceptions:
                yield from _causes(one)
        error = error.__cause__ or error.__context__


def _within_driver(error: BaseException) -> bool:
    """Whether an error was raised by the driver's own code."""
    trace, module = error.__traceback__, ""
    while trace is not None:
        module, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    return str(module).split(".")[0] == "neo4j"


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
