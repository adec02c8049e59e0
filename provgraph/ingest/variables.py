"""A notebook's variables: artifacts ``n.ipynb:NAME``, whose snapshots live in one kernel session.

A cell says which names it used, bound or changed, and deleted. What is told of a used one stands beside it where it
is not what was told last: it was there before anybody recorded, or it changed while nobody looked (semantics rule 5).
"""

from typing import Any, Final

from provgraph.ingest.lookup import Lookup, Notice, iso, snap_of
from provgraph.ingest.settle import Settler
from provgraph.ingest.state import Act, Snap

CODES: Final = frozenset("ubn")
"""Operations on variables: used, bound or changed, deleted."""
LABEL: Final = "Variable"
_NO_NOTEBOOK: Final = "kernel"
"""The place of variables where nobody knows which notebook it is."""


class Variables:
    """Applies operations on variables to the activities in memory."""

    def __init__(self, lookup: Lookup, settler: Settler) -> None:
        self.lookup, self.settler = lookup, settler
        self._newest: dict[tuple[str, str], Snap | None] = {}

    def forget(self) -> None:
        """Drop what the knowledge port can tell again (nothing may be pending)."""
        self._newest.clear()

    def operate(self, act: Act, t: int, op: list[Any]) -> None:
        """One operation: ``[code, t, name]``, what is told of the value, and ``"changed"`` for a change in place."""
        code, name = op[0], str(op[2])
        told = dict(op[3]) if len(op) > 3 and isinstance(op[3], dict) else {}
        if code == "u":
            self._use(act, t, name, told)
        elif code == "b":
            self._bind(act, t, name, told, in_place="changed" in op[4:])
        elif t > act.journaled_t:
            self._delete(act, t, name)

    def _use(self, act: Act, t: int, name: str, told: dict[str, Any]) -> None:
        snap = self._current(act, name)
        if t > act.journaled_t and (snap is None or _differs(snap, told)):
            snap = self._meet(act, t, name, snap, told)
        if snap is not None:
            self.settler.use(act, snap, t)

    def _meet(self, act: Act, t: int, name: str, old: Snap | None, told: dict[str, Any]) -> Snap:
        """Enter a value that nobody recorded: of unknown origin, or changed unseen."""
        new = self._snapshot(act, t, name, told)
        if old is None:
            act.first_seen.append(new)
            self.lookup.log.entries.append((act, new))
        else:
            self.lookup.log.entries.append(Notice(old, new, old.seen_at, new.created_at))
        self._enter(act, name, new)
        return new

    def _bind(self, act: Act, t: int, name: str, told: dict[str, Any], *, in_place: bool) -> None:
        old = self._current(act, name)
        if t <= act.journaled_t or (old is not None and act.generated_earlier(old)):
            if old is not None and not old.uid:
                old.properties |= told
            return
        if in_place and old is not None:
            act = self.settler.use(act, old, t, "updated")
        new = self._snapshot(act, t, name, told)
        new.generator = act
        act.generated.append((new, t, "updated" if in_place else "", None))
        act.own.add(id(new))
        if old is not None:
            act.derived.append((new, old, {"prov_type": "Revision"}))
        self.lookup.log.entries.append((act, new))
        self._enter(act, name, new)

    def _delete(self, act: Act, t: int, name: str) -> None:
        snap = self._current(act, name)
        if snap is not None and not snap.invalidated:
            snap.invalidated = True
            act.deleted[self._place(act, name)] = (snap, t)
            self._newest[_session(act), name] = None

    def _enter(self, act: Act, name: str, snap: Snap) -> None:
        self.lookup.set_current(snap)
        self._newest[_session(act), name] = snap

    def _current(self, act: Act, name: str) -> Snap | None:
        """The newest snapshot of a variable in the activity's own kernel session."""
        key = _session(act), name
        if key not in self._newest:
            self._newest[key] = self._known(act, name)
        return self._newest[key]

    def _known(self, act: Act, name: str) -> Snap | None:
        """What is journaled of it, under the present name of the notebook or one that it bore in this session."""
        for place in (self._place(act, name), *self._former(act, name)):
            found = self.lookup.knowledge.variable(self.lookup.places.name(place), _session(act))
            if found is not None and not found[0].invalidated:
                snap = snap_of(found[0])
                snap.labels, snap.properties = (LABEL,), {"fingerprint": found[1]}
                return snap
        return None

    def _place(self, act: Act, name: str) -> str:
        return f"{_about(act).get('notebook') or _NO_NOTEBOOK}:{name}"

    def _former(self, act: Act, name: str) -> list[str]:
        return [f"{notebook}:{name}" for notebook in _about(act).get("notebook_before") or ()]

    def _snapshot(self, act: Act, t: int, name: str, told: dict[str, Any]) -> Snap:
        places, place, now = self.lookup.places, self._place(act, name), iso(act.wall_ns(t))
        if not place.startswith("/"):
            place = f"{places.root}/{place}"
        previous = self.lookup.current(places.name(place))
        return Snap(
            path=places.name(place),
            artifact=places.artifact(place),
            sequence=1 if previous is None else previous.sequence + 1,
            sha256=None,
            size=None,
            mode=None,
            stat=None,
            seen_at=now,
            created_at=now,
            labels=(LABEL,),
            properties={**told, **places.properties(place), "session": _session(act), "variable": name},
        )


def _about(act: Act) -> dict[str, Any]:
    about = act.start.get("about")
    return about if isinstance(about, dict) else {}


def _session(act: Act) -> str:
    return str(_about(act).get("session") or "")


def _differs(snap: Snap, told: dict[str, Any]) -> bool:
    """Whether a value is surely another one than the snapshot's."""
    fingerprint, known = told.get("fingerprint"), snap.properties.get("fingerprint")
    return fingerprint is not None and known is not None and fingerprint != known
