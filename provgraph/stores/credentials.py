"""Who this user is at a team's server: from the environment, the keyring, or a file that nobody else can read.

Never from the command line, which other users see, and never from a project's configuration, which travels with it.
What is kept is kept by the server's address: a project that names another server under the same name gets nothing.
"""

import os
import re
import shlex
import stat as stat_module
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from provgraph.errors import InputError, RemoteError, StoreError
from provgraph.stores.config_file import toml
from provgraph.stores.files import write_atomically

DEFAULT_USER: Final = "neo4j"
_HEAD: Final = "# Users and passwords of provgraph's servers. Only you may read this file (chmod 600).\n"

Ask = Callable[[str], str]
"""Asks the person at the terminal for a password; is given the question."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password at a server; ``source`` says in words where they come from."""

    user: str
    password: str = field(repr=False)
    source: str


def find_login(
    name: str, url: str, environ: Mapping[str, str], ask: Ask | None = None, keyring_wait_s: float | None = None
) -> Login:
    """The login for the remote ``name``, whose server is at ``url``.

    Parameters:
        ask: asks the person; None where nobody can be asked.
        keyring_wait_s: how long a keyring is waited for that wants to be unlocked; None where somebody may do so.

    Raises:
        RemoteError: there is no password, or the keyring that may have it does not answer.
        StoreError: the file with passwords can be read by others, or is damaged.
    """
    own, common = _variable(name), "PROVDB_NEO4J"
    user = environ.get(f"{own}_USER") or environ.get(f"{common}_USER") or _user(_kept(environ, url))
    for variable in (f"{own}_PASSWORD", f"{common}_PASSWORD"):
        if environ.get(variable):
            return Login(user, environ[variable], variable)
    silent, password = False, None
    try:
        password = _from_keyring(url, user, keyring_wait_s)
    except TimeoutError:
        silent = True
    if password:
        return Login(user, password, "the keyring")
    kept = _kept(environ, url)
    if kept.get("password") and _user(kept) == user:
        return Login(user, str(kept["password"]), str(credentials_file(environ)))
    if ask is not None:
        password = ask(f"Password of {user} at {url}")
        if password:
            return Login(user, password, "the terminal")
    missing = f"there is no password of {user} at {url}: "
    if silent:
        missing = f"the keyring that may hold the password of {user} at {url} does not answer: unlock it, or "
    raise RemoteError(
        f"{missing}set {own}_PASSWORD, or keep it with `provdb remote add {name} {url} --user {user} --password-stdin`",
        passing=False,
    )


def keep_login(url: str, user: str | None, password: str | None, environ: Mapping[str, str]) -> str | None:
    """Keep what is given, the password in the keyring where there is one, else in the file; says where it is now.

    Raises:
        StoreError: it cannot be kept.
    """
    if user is None and password is None:
        return None
    entry = {**_kept(environ, url), "url": url}
    if user is not None and user != entry.get("user"):
        entry.pop("password", None)
        entry["user"] = user
    in_keyring = password is not None and _into_keyring(url, _user(entry), password)
    if password is not None:
        entry.pop("password", None)
        if not in_keyring:
            entry["password"] = password
    path = credentials_file(environ)
    others = [found for found in _entries(path) if found.get("url") != url]
    _write(path, [*others, entry])
    return None if password is None else "the keyring" if in_keyring else str(path)


def left_behind(url: str, environ: Mapping[str, str]) -> str | None:
    """Where a password for a server is kept, and how it is dropped, in words; None where none is kept.

    Raises:
        StoreError: the file with passwords can be read by others. InputError: it is damaged.
    """
    kept = _kept(environ, url)
    user = _user(kept)
    if kept.get("password"):
        return f"the password of {user} stays in {credentials_file(environ)}: take out its section with {url} there"
    if _from_keyring(url, user):
        drop = shlex.join(["keyring", "del", _service(url), user])
        return f"the password of {user} stays in the keyring: `{drop}` drops it"
    return None


def credentials_file(environ: Mapping[str, str]) -> Path:
    """The file in the user's own folder of configuration."""
    folder = environ.get("XDG_CONFIG_HOME", "")
    if not folder.startswith("/"):  # the XDG specification: relative ones are ignored
        folder = os.path.join(os.path.expanduser("~"), ".config")
    return Path(folder, "provgraph", "credentials.toml")


def _variable(name: str) -> str:
    return "PROVDB_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


# -- the file


def _kept(environ: Mapping[str, str], url: str) -> dict[str, Any]:
    return next((entry for entry in _entries(credentials_file(environ)) if entry.get("url") == url), {})


def _user(entry: Mapping[str, Any]) -> str:
    return str(entry.get("user") or DEFAULT_USER)


def _entries(path: Path) -> list[dict[str, Any]]:
    """What the file says: a list of servers.

    Raises:
        StoreError: it is not this user's alone, or cannot be read. InputError: it is damaged.
    """
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if os.geteuid() not in (stat.st_uid, 0):
                raise StoreError(f"{path} belongs to somebody else; its passwords are not used. Move it away")
            if stat_module.S_IMODE(stat.st_mode) & 0o077:
                raise StoreError(f"others can read the passwords in {path}: type `chmod 600 {path}`")
            servers = tomllib.loads(file.read().decode()).get("server", [])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML (what is in it is not shown); mend or remove it") from error
    if not isinstance(servers, list) or not all(isinstance(entry, dict) for entry in servers):
        raise InputError(f"{path} must hold [[server]] sections with url, user and password; mend or remove it")
    return servers


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    text = _HEAD
    for entry in entries:
        text += "\n[[server]]\n" + "".join(f"{key} = {toml(str(value))}\n" for key, value in entry.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, text.encode(), 0o600)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); set PROVDB_NEO4J_USER and PROVDB_NEO4J_PASSWORD instead"
        ) from error


# -- the keyring: an extra, whose every failure (locked, none, no desktop) means that it holds nothing


def _keyring() -> ModuleType | None:
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def _service(url: str) -> str:
    return f"provgraph {url}"


def _from_keyring(url: str, user: str, wait_s: float | None = None) -> str | None:
    """The password there.

    Raises:
        TimeoutError: nothing was answered in that time.
    """
    if wait_s is None:
        return _asked(url, user)
    import threading

    answer: list[str | None] = []
    # Whatever it waits for, a desktop perhaps, is left alone when this process ends.
    thread = threading.Thread(target=lambda: answer.append(_asked(url, user)), daemon=True)
    thread.start()
    thread.join(wait_s)
    if not answer:
        raise TimeoutError
    return answer[0]


def _asked(url: str, user: str) -> str | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        found = keyring.get_password(_service(url), user)
    except Exception:  # noqa: BLE001
        return None
    return found if isinstance(found, str) else None


def _into_keyring(url: str, user: str, password: str) -> bool:
    keyring = _keyring()
    if keyring is None:
        return False
    try:
        keyring.set_password(_service(url), user, password)
        return bool(keyring.get_password(_service(url), user) == password)
    except Exception:  # noqa: BLE001
        return False
