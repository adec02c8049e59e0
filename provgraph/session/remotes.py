"""The teams' servers that a project knows: names, addresses, and how far each of them is behind."""

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import ProvGraphError, QuestionError, TrustError
from provgraph.session.opened import LOCAL
from provgraph.stores import files, trust
from provgraph.stores.config import Config, RemoteEntry, read_config
from provgraph.stores.config_file import set_remote
from provgraph.stores.credentials import find_login, keep_login, left_behind
from provgraph.stores.remote_url import checked_url, typed
from provgraph.stores.sync_state import SyncState

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.stores import EmbeddedStore
    from provgraph.stores.neo4j import Remote, TeamStore

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SPELLING: Final = "a name begins with a letter; letters, digits, - and _ may follow, 64 in all"


@dataclass(frozen=True, slots=True)
class Standing:
    """A remote, and what this clone remembers of it. Nothing in it was asked of the server.

    ``unsent`` counts events here that the server was not seen to have; ``push`` and ``ask`` say whether the
    configuration sends and asks there by itself; ``failure`` is what the last try to reach it ended with.
    """

    name: str
    url: str
    database: str
    insecure: bool
    push: bool
    ask: bool
    unsent: int
    pushed_at: str | None
    pulled_at: str | None
    failed_at: str | None
    failure: str | None

    def to_json(self) -> dict[str, Any]:
        """The shape of a remote in ``provgraph/remotes/1``."""
        return {key: getattr(self, key) for key in self.__slots__}


@dataclass(frozen=True, slots=True)
class Added:
    """What ``remote add`` did: where a password is kept, if one was given; whether the store is trusted."""

    name: str
    kept_in: str | None
    trusted: bool


class Remotes:
    """A project's remotes, as its configuration names them.

    Parameters:
        project: the project.
    """

    def __init__(self, project: "Opened") -> None:
        self._project = project

    def __repr__(self) -> str:
        try:
            known = [f"{name} {entry.shown}" for name, entry in sorted(self.config.remotes.items())]
        except (ProvGraphError, OSError):  # seen in a debugger or a notebook, where it must not fail
            known = ["the configuration cannot be read"]
        return f"<Remotes of {self._project.root}: {', '.join(known) or 'none'}>"

    @property
    def config(self) -> Config:
        """The configuration as it is written, trusted or not."""
        return read_config(files.store_folder(self._project.root) / files.CONFIG)

    def list(self) -> list[Standing]:
        """All remotes, by name."""
        config, store = self.config, self._project.store()
        return [_standing(store, config, name, entry) for name, entry in sorted(config.remotes.items())]

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/remotes/1``."""
        return {
            "schema": "provgraph/remotes/1",
            "trusted": self._project.store().trusted,
            "remotes": [remote.to_json() for remote in self.list()],
        }

    def add(
        self,
        name: str,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        database: str = "neo4j",
        insecure: bool = False,
    ) -> Added:
        """Know a server under a name. The same name and address again changes the rest: a password, say.

        Parameters:
            url: like ``bolt+s://host:7687``.
            user, password: kept for this user alone, never in the project.
            insecure: allow a connection that is not encrypted.

        Raises:
            QuestionError: a name or address that is none, or a name that is another server's.
        """
        if not _NAME.fullmatch(name) or name == LOCAL:
            why = f"{LOCAL} is this store itself" if name == LOCAL else _SPELLING
            raise QuestionError(f"{name!r} names no remote ({why}); as in `provdb remote add team URL`")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,63}", database):
            raise QuestionError(f"{database!r} names no database; where none is named it is neo4j")
        checked = checked_url(url, insecure=insecure)
        present = self.config.remotes.get(name)
        if present is not None and present.url != checked:
            raise QuestionError(
                f"{name} is {present.shown} already; type `provdb remote remove {name}`, "
                f"then `{typed(name, checked, database, user=user, insecure=insecure)}`"
            )
        values: dict[str, str | bool] = {"url": checked}
        values |= {} if database == "neo4j" else {"database": database}
        values |= {"insecure": True} if insecure else {}
        kept_in = keep_login(checked, user, password, os.environ)
        return Added(name, kept_in, self._write(name, values))

    def remove(self, name: str) -> bool:
        """Know a server no more; returns whether the store is trusted. Nothing on the server changes.

        Raises:
            QuestionError: there is none of that name.
        """
        self._entry(name, self.config)
        return self._write(name, None)

    def password(self, name: str) -> str | None:
        """Where a password for a remote's server is kept, for all projects of this user, and how it is dropped.

        Raises:
            QuestionError: there is none of that name.
        """
        entry = self._entry(name, self.config)
        try:
            return left_behind(checked_url(entry.url, insecure=True), os.environ)
        except ProvGraphError:  # an address that is none, a file that is not read: no password is used from there
            return None

    def _write(self, name: str, values: dict[str, str | bool] | None) -> bool:
        """Change the configuration; trust is renewed where there was trust, never where there was none."""
        root = self._project.root
        trusted = trust.runs_code(root)
        set_remote(files.store_folder(root) / files.CONFIG, name, values)
        if trusted:
            trust.trust(root)
        self._project.close()
        return trusted

    def chosen(self, name: str | None) -> str:
        """The remote of that name; without one, the one that is pushed to by itself, or the only one.

        Raises:
            QuestionError: there is none, or more than one.
        """
        config = self.config
        if name is None and not config.push_to and len(config.remotes) != 1:
            names = ", ".join(sorted(config.remotes))
            raise QuestionError(f"which remote? there are {names}" if names else _none_yet())
        found = name or config.push_to or next(iter(config.remotes))
        self._entry(found, config)
        return found

    @staticmethod
    def _entry(name: str, config: Config) -> RemoteEntry:
        entry = config.remotes.get(name)
        if entry is None:
            names = ", ".join(sorted(config.remotes))
            raise QuestionError(f"there is no remote {name!r}; there are {names}" if names else _none_yet())
        return entry

    def resolve(self, name: str) -> "Remote":
        """A remote with everything that is needed to speak to it.

        Raises:
            TrustError: this user has not trusted the configuration that names it.
            QuestionError: there is none of that name, or its address is none.
            RemoteError: there is no password.
        """
        from provgraph.stores.neo4j import Remote

        entry = self._entry(name, self.config)
        root = self._project.root
        if not trust.runs_code(root):  # not `store().trusted`: the entry may be newer than that
            raise TrustError(
                f"the configuration of {root} is not trusted, so nothing is sent to {entry.shown} and nothing asked "
                f"there: look at .provdb/config.toml, then type `provdb trust {root}`"
            )
        url = checked_url(entry.url, insecure=entry.insecure, name=name, database=entry.database)
        login = find_login(name, url, os.environ, self._project.ask, self._project.keyring_wait_s)
        return Remote(name, url, login.user, login.password, entry.database, entry.insecure)

    def connect(self, name: str, *, write: bool = False) -> "TeamStore":
        """This project's share of a server.

        Raises:
            RemoteError: it cannot be reached, or refuses. As ``resolve`` otherwise.
        """
        from provgraph.stores.neo4j import TeamStore

        remote, store = self.resolve(name), self._project.store()
        return TeamStore(remote, store.project, write=write, clones=store.clones())

    def state(self, name: str) -> SyncState:
        """What this clone remembers of a server."""
        return _state(self._project.store(), self._entry(name, self.config))


def _none_yet() -> str:
    return "there is no remote yet; type `provdb remote add team bolt+s://HOST:7687`"


def _state(store: "EmbeddedStore", entry: RemoteEntry) -> SyncState:
    return SyncState(store.local, entry.shown, entry.database)


def _standing(store: "EmbeddedStore", config: Config, name: str, entry: RemoteEntry) -> Standing:
    state = _state(store, entry)
    known = state.known()
    return Standing(
        name=name,
        url=entry.shown,
        database=entry.database,
        insecure=entry.insecure,
        push=config.push_to == name,
        ask=config.ask_at == name,
        unsent=state.unsent(store.journal.lasts()),
        pushed_at=known.pushed_at,
        pulled_at=known.pulled_at,
        failed_at=known.failed_at,
        failure=known.failure,
    )
