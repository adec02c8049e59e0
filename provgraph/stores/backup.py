"""A consistent copy of a store in one file: a tar archive that ``tar`` alone can unpack in place."""

import contextlib
import os
import sqlite3
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from provgraph.errors import StoreError
from provgraph.stores import files
from provgraph.stores.embedded import EmbeddedStore

_SMALL: Final = (files.PROJECT, files.CONFIG)


def backup(store: EmbeddedStore, file: str) -> int:
    """Write a store's truth into ``file``: journal, objects, configuration, what waits in the spool. Returns its bytes.

    What can be made anew is left out. Unpack it in an empty project folder (``tar -xf FILE``): the store that is there
    then begins an origin of its own (rule 22). The file appears whole or not at all.
    Raises:
        StoreError: ``file`` is there already, lies within the store, or cannot be written.
    """
    target = Path(file).absolute()
    if target.exists():
        raise StoreError(f"{target} is there already; name another file")
    if store.folder in target.parents:
        raise StoreError(f"{target} lies within the store that it is a copy of; name a file elsewhere")
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with tempfile.TemporaryDirectory(prefix="provdb-backup-", dir=target.parent) as scratch:
            journal = Path(scratch) / files.JOURNAL
            # The spool first: what is ingested in the meantime is in both, and told apart by its uid.
            with tarfile.open(new, "w") as archive:
                _add_tree(archive, store.folder / files.SPOOL, f"{files.STORE}/{files.SPOOL}")
                _copy_journal(store, journal)
                archive.add(journal, f"{files.STORE}/{files.JOURNAL}")
                for name in _SMALL:
                    if (store.folder / name).exists():
                        archive.add(store.folder / name, f"{files.STORE}/{name}")
                for sha256, _ in store.objects.all():
                    with contextlib.suppress(FileNotFoundError):  # `gc` may run beside
                        path = store.objects.path_of(sha256)
                        archive.add(path, f"{files.STORE}/{files.OBJECTS}/{sha256[:2]}/{sha256[2:]}")
                _add_tree(archive, store.folder / files.INGESTORS, f"{files.STORE}/{files.INGESTORS}")
        with new.open("rb") as written:
            os.fsync(written.fileno())
        os.chmod(new, 0o600)
        os.replace(new, target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error}") from error
    finally:
        new.unlink(missing_ok=True)
    files.sync_folder(target.parent)
    return target.stat().st_size


def _copy_journal(store: EmbeddedStore, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as copy:
        store.journal.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _add_tree(archive: tarfile.TarFile, folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                archive.add(path, f"{name}/{path.relative_to(folder)}")
