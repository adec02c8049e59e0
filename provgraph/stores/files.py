"""Where everything lies in a project's ``.provdb``, and the small durable writes that several of them need."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Final

STORE: Final = ".provdb"
PROJECT: Final = "project.json"
CONFIG: Final = "config.toml"
JOURNAL: Final = "journal.db"
GRAPH: Final = "graph.db"
LOCAL: Final = "local.db"
OBJECTS: Final = "objects"
SPOOL: Final = "spool"
PREIMAGES: Final = "spool/pre"
BELL: Final = "bell"
MARKS: Final = "marks"
CACHE: Final = "cache"
INGESTORS: Final = "ingestors"
SHARED_PROJECT: Final = ".provdb-project"

MARKS_EACH: Final = 256


def store_folder(root: str) -> Path:
    """The ``.provdb`` of a project's root."""
    return Path(root) / STORE


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a small file: the old content or the new one is there, never less, whatever happens in between."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    owner = owner_of(path.parent)
    try:
        with open(descriptor, "wb") as file:
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names in a folder durable. File systems that cannot do so are left alone."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Replace a small JSON file for people and programs alike."""
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode("ascii"))


def owner_of(folder: Path) -> tuple[int, int] | None:
    """(uid, gid) that files in ``folder`` should get where root writes into another user's store; else None."""
    if os.geteuid() != 0:
        return None
    stat = folder.stat()
    return None if stat.st_uid == 0 else (stat.st_uid, stat.st_gid)


def give_to_owner(folder: Path) -> None:
    """Give what root made in the store of another user (the owner of the folder around it) to that user."""
    owner = owner_of(folder.parent)
    if owner is None:
        return
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(OSError):
            if path.lstat().st_uid != owner[0]:
                os.chown(path, *owner, follow_symlinks=False)


def make_layout(folder: Path) -> None:
    """Make what is missing of a store's folders: mode 0700, the bell (a FIFO), the files that ``-c`` opens as marks."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & 0o777 != 0o700:
        folder.chmod(0o700)
    for name in (OBJECTS, SPOOL, PREIMAGES, MARKS, f"{MARKS}/element", f"{MARKS}/status", CACHE):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    bell = folder / BELL
    if not bell.exists():
        with contextlib.suppress(OSError):  # no FIFOs here: questions and the next command start the ingester
            os.mkfifo(bell, 0o600)
    for kind in ("element", "status"):
        names = set(os.listdir(folder / MARKS / kind))
        for number in range(MARKS_EACH):
            if str(number) not in names:
                os.close(os.open(folder / MARKS / kind / str(number), os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o600))
