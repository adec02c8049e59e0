"""Which project a command belongs to, and whether its store may be used by this user."""

from __future__ import annotations

import os
import stat

from provgraph.client.light_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

STORE = ".provdb"
_MARK = "/" + STORE + "/project.json"

# File systems behind a network, where SQLite's write-ahead log does not work; those on FUSE by their subtype.
# fmt: off
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs",
        "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
        "nfs4", "orangefs", "panfs", "smb3", "smbfs", "wekafs",
    }
)
# fmt: on


def find_project(cwd: str, environ: Mapping[str, str]) -> str | None:
    """The root of the project that ``cwd`` lies in, without symbolic links; None outside of any.

    ``PROVDB_PROJECT`` names one elsewhere (relative to ``cwd``); where it names a folder without a store there is no
    project, and the ancestors of ``cwd`` are not asked.
    Cost: one stat per ancestor.
    """
    named = environ.get("PROVDB_PROJECT")
    if named:
        root = os.path.realpath(os.path.join(cwd, named))
        return root if os.path.exists(root + _MARK) else None
    folder = os.path.realpath(cwd)
    while True:
        prefix = "" if folder == "/" else folder
        if os.path.exists(prefix + _MARK):
            return folder
        if folder == "/" or not folder:
            return None
        folder = os.path.dirname(folder)


def unusable(root: str) -> str | None:
    """Why this user must not or cannot write into the store of ``root``: one line with the next step, else None.

    A store is used only if it and its folder belong to the caller, or after ``provdb trust``; root may capture into
    another's store, as its owner. Others must not be able to write into it. Cost: three stats.
    """
    store = os.path.join(root, STORE)
    try:
        folder_stat = os.stat(root)
        store_stat = os.stat(store)
        os.stat(os.path.join(store, "spool"))
    except FileNotFoundError:
        return f"the store {store} has vanished or is incomplete; `provdb init` makes a new one"
    except OSError as error:
        return f"the store {store} cannot be read: {error.strerror}"
    if not stat.S_ISDIR(store_stat.st_mode):
        return f"{store} is not a folder; move it away and type `provdb init`"
    euid = os.geteuid()
    for what, owner in ((root, folder_stat.st_uid), (store, store_stat.st_uid)):
        if euid not in (owner, 0) and not trusted(root, store_stat):
            return (
                f"{what} belongs to {user_name(owner)}: set PROVDB_PROJECT to a project of your own,"
                f" or type `provdb trust {root}`"
            )
    if store_stat.st_mode & 0o022:
        return f"others may write into {store}: type `chmod 700 {store}`"
    if not os.access(os.path.join(store, "spool"), os.W_OK | os.X_OK):
        return f"the store {store} is read-only for you"
    return None


def trusted(root: str, store_stat: os.stat_result) -> bool:
    """Whether this user has trusted the store at ``root``: by path, device and inode, in the user's own data folder.

    Only capture's own need: that the store is the one that was trusted. The digest of its configuration and ingestors
    is compared before any of its code runs, by whoever runs it.
    """
    try:
        with open(trust_file(os.environ), encoding="utf-8") as file:
            entries = loads(file.read())
    except (OSError, ValueError):
        return False
    wanted = {"path": root, "device": store_stat.st_dev, "inode": store_stat.st_ino}
    return isinstance(entries, list) and any(
        isinstance(entry, dict) and all(entry.get(key) == value for key, value in wanted.items()) for entry in entries
    )


def trust_file(environ: Mapping[str, str]) -> str:
    """Where this user's trusted stores are listed: ``trust.json`` in the user's own data folder."""
    data = environ.get("XDG_DATA_HOME", "")
    if not data.startswith("/"):  # the XDG specification: relative ones are ignored
        data = os.path.join(os.path.expanduser("~"), ".local/share")
    return os.path.join(data, "provgraph/trust.json")


def user_name(uid: int) -> str:
    """The login name of ``uid``, else ``user N``."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def network_file_system(path: str) -> str | None:
    """The type of the network file system that ``path`` lies on ("nfs4", …), or None. Linux only; else None.

    Cost: one stat for local disks, whose devices have a major number; else a read of the mount table.
    """
    try:
        device = os.stat(path).st_dev
        if os.major(device) != 0:
            return None
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                fields = line.split()
                if fields[2] == wanted:
                    kind = fields[fields.index("-") + 1]
                    return kind if kind in NETWORK_FILE_SYSTEMS else None
    except (OSError, ValueError, IndexError):
        return None
    return None
