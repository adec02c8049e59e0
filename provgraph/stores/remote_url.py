"""Addresses of servers: which are taken, and which would show a secret or a history to whoever listens."""

import ipaddress
import re
import shlex
from typing import Final
from urllib.parse import SplitResult, urlsplit

from provgraph.errors import QuestionError

_SCHEMES: Final = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_PORT: Final = 7687


def checked_url(url: str, *, insecure: bool, name: str = "", database: str = "neo4j") -> str:
    """The address of a server in one spelling: lower case, without a slash at its end.

    Parameters:
        insecure: whether a connection that is not encrypted may leave this machine.
        name, database: of the remote that has this address already, for what a message tells to type.

    Raises:
        QuestionError: no address of a Neo4j server, one with a user or password in it, or one that is not encrypted.
    """
    parts = _parts(url)
    host, port = parts.hostname, parts.port
    shown = f"{parts.scheme}://{_bracketed(host or '')}" + (f":{port}" if port else "")
    if parts.scheme in ("http", "https"):
        raise QuestionError(
            f"{shown} is the address of a web page; write that of Bolt: bolt+s://{_bracketed(host or 'host')}:{_PORT}"
        )
    if parts.scheme not in _SCHEMES:
        raise QuestionError(f"{shown} is no address of a Neo4j server; write it like bolt+s://host:{_PORT}")
    if not host:
        raise QuestionError(f"{shown} names no host; write it like {parts.scheme}://host:{_PORT}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise QuestionError(f"{shown} is followed by more; leave that out (--database NAME names a database)")
    if parts.scheme in ("bolt", "neo4j") and not insecure and not is_loopback(host):
        raise QuestionError(
            f"{shown} is not encrypted: everybody on the way could read the password and the history. "
            + _encrypted_or_not(shown, name, database)
        )
    return shown


def typed(name: str, url: str, database: str = "neo4j", *, user: str | None = None, insecure: bool = False) -> str:
    """The command that names a server."""
    words = ["provdb", "remote", "add", name, url, *(("--user", user) if user else ())]
    words += ("--database", database) if database != "neo4j" else ()
    return shlex.join([*words, *["--insecure"] * insecure])


def _encrypted_or_not(url: str, name: str, database: str) -> str:
    scheme, _, place = url.partition("://")
    if not name:
        return f"Write {scheme}+s://, or say --insecure"
    return (
        f"Type `provdb remote remove {name}`, then `{typed(name, f'{scheme}+s://{place}', database)}`, "
        f"or, to allow it, `{typed(name, url, database, insecure=True)}`"
    )


def _parts(url: str) -> SplitResult:
    # What may be a password is never repeated in a message.
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError as error:
        raise QuestionError(f"the address is none; write it like bolt+s://host:{_PORT}") from error
    if "@" in url:
        clean = re.sub(r"//.*@", "//", url.strip())
        raise QuestionError(
            f"an address must not hold a user or password, for it is kept in the configuration: write {clean}, "
            "with --user NAME, and give the password when it is asked for, or with --password-stdin"
        )
    if "://" not in url:
        raise QuestionError(f"{url} is no address; write it like bolt+s://host:{_PORT}")
    return parts


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def encryption(url: str) -> str:
    """How a connection is protected, in words."""
    scheme = urlsplit(url).scheme
    if scheme.endswith("+ssc"):
        return "encrypted, but the server's certificate is not verified"
    return "encrypted, certificate verified" if scheme.endswith("+s") else "not encrypted"
