"""Making a project, and opening one."""

import contextlib
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provgraph.errors import CorruptError, InputError, NewerStoreError, NoProjectError, StoreError, TrustError
from provgraph.model.identity import uuid7
from provgraph.stores import baseline, files, guard, identity, migrations, purging, trust
from provgraph.stores.config import TEMPLATE
from provgraph.stores.embedded import EmbeddedStore
from provgraph.stores.encoding import column
from provgraph.stores.journal import SCHEMA_VERSION, create_journal


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat()


def open_store(root: str, *, write: bool) -> EmbeddedStore:
    """Open the store of the project at ``root``, with a projection that is up to date.

    Parameters:
        write: for capture and everything that adds events. A copied folder then begins a new origin (rule 22).
    Raises:
        NoProjectError: there is none. TrustError: it is somebody else's. NewerStoreError: a newer program wrote it.
        CorruptError: the journal is damaged or gone. StoreError: it cannot be opened.
    """
    root = os.path.realpath(root)
    folder = files.store_folder(root)
    _project_file(folder)
    trust.check_usable(root)
    if not (folder / files.JOURNAL).exists():
        raise CorruptError(
            f"{folder / files.JOURNAL} has vanished: restore a backup, or remove {folder} and type `provdb init`"
        )
    if write and not (folder / files.MARKS).is_dir():
        files.make_layout(folder)  # a restored backup holds the truth alone
    if migrations.check_version(folder / files.JOURNAL) < SCHEMA_VERSION:
        migrations.migrate(folder / files.JOURNAL)
    store = EmbeddedStore(root, write=write)
    if purging.unfinished(store) and os.access(folder, os.W_OK):
        store = _cleaned_up(store, write=write)
    try:
        if write:
            _bind(store)
        store.apply()
    except BaseException:
        store.close()
        raise
    return store


def _cleaned_up(store: EmbeddedStore, *, write: bool) -> EmbeddedStore:
    """The store after the purge that was cut short in it: `provdb forget` was killed."""
    store.close()
    with EmbeddedStore(store.root, write=True) as opened:
        purging.finish(opened)
    return EmbeddedStore(store.root, write=write)


def init_project(root: str, *, share: bool = False, join: str | None = None) -> EmbeddedStore:
    """Make the folder ``root`` a project, or renew what a project needs (guard, trust, missing folders); idempotent.

    Parameters:
        share: write ``.provdb-project``, to be committed: every clone then is the same project.
        join: the uid of the project that this one is to be.
    Raises:
        NoProjectError: ``root`` is no folder. InputError: it is another project already. As ``open_store`` otherwise.
    """
    root = os.path.realpath(root)
    if not os.path.isdir(root):
        raise NoProjectError(f"{root} is no folder")
    folder = files.store_folder(root)
    if (folder / files.PROJECT).exists():
        trust.check_usable(root)
        store = _renew(root, join)
    else:
        store = _begin(root, join)
    if share:
        identity.share(Path(root), store.project)
    guard.renew_guard(root)
    files.give_to_owner(folder)
    if os.stat(root).st_uid == os.geteuid():  # root must not come to run a user's code by `init`
        with contextlib.suppress(TrustError):
            trust.trust(root)
    # Once more, now that its configuration is trusted.
    store.close()
    return open_store(root, write=True)


def _renew(root: str, join: str | None) -> EmbeddedStore:
    store = open_store(root, write=True)
    files.make_layout(store.folder)
    if join is not None and identity.check_uid(join, "--join") != store.project:
        store.close()
        raise InputError(
            f"{root} is project {store.project} already and has a history; "
            "join another one in a fresh clone, before its first `provdb init`"
        )
    return store


def _begin(root: str, join: str | None) -> EmbeddedStore:
    folder = files.store_folder(root)
    if (folder / files.JOURNAL).exists():
        raise CorruptError(f"{folder} has a journal but no {files.PROJECT}: restore it from a backup")
    project, source = identity.project_uid(Path(root), join)
    files.make_layout(folder)
    origin, created_at = uuid7(), now()
    bound = identity.binding(folder)
    meta = {"project": project, "origin": origin, "created_at": created_at, **bound}
    create_journal(folder / files.JOURNAL, meta)
    if not (folder / files.CONFIG).exists():
        files.write_atomically(folder / files.CONFIG, TEMPLATE.encode())
    store = EmbeddedStore(root, write=True)
    try:
        if store.journal.last_seq() == 0:
            baseline.walk_into(store, created_at)
            with store.journal.batch() as batch:
                batch.event("project.begun", created_at).facts |= {"project": store.project, "source": source}
                batch.event("origin.begun", created_at).facts |= {"origin": store.origin, **_self_description(root)}
        _write_project_file(store)
    except BaseException:
        store.close()
        raise
    return store


def _project_file(folder: Path) -> dict[str, Any]:
    """What ``project.json`` says.

    Raises:
        NoProjectError, NewerStoreError, CorruptError: there is none, it is newer, it is damaged.
    """
    path = folder / files.PROJECT
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NoProjectError(f"there is no project at {folder.parent}; type `provdb init` there") from None
    except PermissionError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CorruptError(f"{path} is damaged ({error}); restore it from a backup") from error
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise CorruptError(f"{path} is damaged; restore it from a backup")
    if document["schema"] > 1:
        raise NewerStoreError(f"{path} was written by a newer provgraph; nothing was changed. Install a newer one")
    return document


def _write_project_file(store: EmbeddedStore) -> None:
    """Write what the journal says of itself where the prefix finds it without a database."""
    meta = store.journal.meta()
    files.write_json(
        store.folder / files.PROJECT,
        {
            "schema": 1,
            "project": meta["project"],
            "origin": meta["origin"],
            "created_at": meta["created_at"],
            "binding": {
                "machine": meta["machine"],
                "device": int(meta["device"]),
                "inode": int(meta["inode"]),
            },
        },
    )


def _bind(store: EmbeddedStore) -> None:
    """Begin a new origin where the store is not the one that its origin began in: a copy, a backup, a VM image."""
    bound = identity.binding(store.folder)
    meta = store.journal.meta()
    if any(meta.get(key) != value for key, value in bound.items()):
        begin_origin(store)
    elif _project_file(store.folder).get("origin") != meta["origin"]:
        _write_project_file(store)


def begin_origin(store: EmbeddedStore) -> None:
    """From now on number events anew: somebody else, or a lost future of this store, has numbers that would follow."""
    before, origin = store.origin, uuid7()
    with store.journal.batch(identity.binding(store.folder) | {"origin": origin}) as batch:
        batch.event("origin.begun", now()).facts |= {
            "origin": origin,
            "forked_from": before,
            "forked_at": store.journal.last_of(before),
            **_self_description(store.root),
        }
    _write_project_file(store)


def _self_description(root: str) -> dict[str, str]:
    """What colleagues may call this clone by: the machine, and the folder's name."""
    return {"host": column(platform.node()), "folder": column(os.path.basename(os.path.realpath(root)))}
