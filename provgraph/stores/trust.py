"""Which stores this user trusts: in the user's own data folder, by path, device, inode and digest.

A store may be *used* if it and its folder belong to the caller, or after ``provdb trust``. What runs code, sends data
or widens what is recorded needs trust whoever owns it: a cloned repository or an unpacked archive must not bring its
own. Root may capture into another's store, as its owner, and runs none of its code.
"""

import hashlib
import json
import os
import stat as stat_module
from pathlib import Path
from typing import Any

from provgraph.client.project import trust_file, trusted, user_name
from provgraph.errors import NoProjectError, TrustError
from provgraph.stores import files


def code_digest(store: Path) -> str:
    """The SHA-256 of what trust is about: the configuration and the project's own ingestors."""
    sha = hashlib.sha256()
    paths = [store / files.CONFIG, *sorted((store / files.INGESTORS).rglob("*"))]
    for path in paths:
        if path.is_file():
            name = os.fsencode(path.relative_to(store))
            data = path.read_bytes()
            sha.update(len(name).to_bytes(4) + name + len(data).to_bytes(8) + data)
    return sha.hexdigest()


def _entries() -> list[dict[str, Any]]:
    try:
        entries = json.loads(Path(trust_file(os.environ)).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def trust(root: str) -> None:
    """Trust the store at ``root`` as it is now (``provdb trust DIR``, and what ``init`` does for its own user).

    Raises:
        NoProjectError: there is none.
        TrustError: the list of trusted stores is not this user's own, or cannot be written.
    """
    root = os.path.realpath(root)
    store = files.store_folder(root)
    if not (store / files.PROJECT).exists():
        raise NoProjectError(f"there is no project at {root}; type `provdb init` there")
    stat = store.stat()
    entry = {"path": root, "device": stat.st_dev, "inode": stat.st_ino, "digest": code_digest(store)}
    path = Path(trust_file(os.environ))
    entries = [found for found in _entries() if found.get("path") != root]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write_atomically(path, (json.dumps([*entries, entry], indent=1) + "\n").encode())
    except OSError as error:
        what = f"{path} cannot be written ({error.strerror}); XDG_DATA_HOME may name another folder"
        raise TrustError(what) from error


def runs_code(root: str) -> bool:
    """Whether this user has trusted the store with exactly the configuration and ingestors that it has now."""
    root = os.path.realpath(root)
    store = files.store_folder(root)
    try:
        stat = store.stat()
        digest = code_digest(store)
    except OSError:
        return False
    wanted = {"path": root, "device": stat.st_dev, "inode": stat.st_ino, "digest": digest}
    return any(all(entry.get(key) == value for key, value in wanted.items()) for entry in _entries())


def check_usable(root: str) -> None:
    """Refuse a store that is not this user's.

    Raises:
        TrustError: it or its folder belongs to somebody else, or others may write into it.
    """
    store = files.store_folder(root)
    folder_stat, store_stat = os.stat(root), os.stat(store)
    euid = os.geteuid()
    for what, owner in ((root, folder_stat.st_uid), (str(store), store_stat.st_uid)):
        if euid not in (owner, 0) and not trusted(os.path.realpath(root), store_stat):
            raise TrustError(
                f"{what} belongs to {user_name(owner)}: type `provdb trust {root}` if that is as it should be, "
                "or set PROVDB_PROJECT to a project of your own"
            )
    if stat_module.S_IMODE(store_stat.st_mode) & 0o022:
        raise TrustError(f"others may write into {store}: type `chmod 700 {store}`")
