"""One record or operation of the spool after the other, each to the part that knows what it means."""

from typing import Any

from provgraph.ingest.collect import Collector
from provgraph.ingest.contents import lstat
from provgraph.ingest.environment import Environments
from provgraph.ingest.lookup import Lookup, iso
from provgraph.ingest.records import Record
from provgraph.ingest.said import Sayings
from provgraph.ingest.settle import Settler
from provgraph.ingest.sharing import Sharing
from provgraph.ingest.state import Act
from provgraph.ingest.timeline import as_stat
from provgraph.ingest.variables import CODES as OF_VARIABLES
from provgraph.ingest.variables import Variables


class Applier:
    """Applies what happened to the activities in memory, in the order of its time.

    What a newer program wrote and nobody here knows is counted as a gap of the activity, and never fatal.
    """

    def __init__(
        self,
        lookup: Lookup,
        settler: Settler,
        sharing: Sharing,
        environments: Environments,
        collector: Collector,
    ) -> None:
        self.lookup, self.settler, self.sharing, self.environments = lookup, settler, sharing, environments
        self.collector = collector
        self.sayings = Sayings(lookup, settler, self._readers)
        self.variables = Variables(lookup, settler)

    def start(self, act: Act) -> None:
        """An activity began: with what its parent had read, and what its caller had opened for it."""
        t = int(act.start["t"])
        parent_name = act.start.get("parent")
        parent = self.lookup.running.get(parent_name) if parent_name else None
        self.lookup.running[act.spool] = act
        if parent is not None:
            act.parent = parent
            if act.start.get("stdin_pipe") or shares(act):
                parent = self.settler.resolve(self.collector.read(parent))
                for snap, _, _ in list(parent.used.values()):
                    if "Environment" not in snap.labels:
                        self.settler.use(act, snap, t, "inherited")
        for redirection in act.start.get("redirections", ()):
            self._redirected(act, t, redirection)

    def _redirected(self, act: Act, t: int, redirection: dict[str, Any]) -> None:
        """What the calling shell opened for the command belongs to the command."""
        stat, path, mode = as_stat(redirection.get("stat")), redirection["path"], redirection["mode"]
        if stat is None:
            return
        if mode == "r" or (mode == "rw" and stat[2] > 0):  # an empty one may have been made by opening it
            self.settler.read(act, t, path, stat)
        if mode != "r":
            self.sharing.begin(act, t, path, stat, mode)

    def other(self, act: Act, t: int, kind: str, record: Record) -> None:
        """A record that neither begins nor ends an activity."""
        if kind == "lost":
            act.lost_at = int(record["t"])
        elif kind == "said":
            self.sayings.apply(act, t, record)
        else:
            act.refused(f"record {kind}")

    def operate(self, act: Act, t: int, op: list[Any]) -> None:
        """One operation of an activity."""
        code = op[0]
        walked = act.start["capture"] == "stat" or op[-1] == "found"
        if walked and code in ("w", "d", "m") and self._is_anothers(act, code, op):
            return
        if code in "rwdml":
            self._file(act, t, code, op)
        elif code == "x":
            act.programs.append([str(word) for word in op[3]])
        elif code in OF_VARIABLES:
            self.variables.operate(act, t, op)
        elif code == "v":
            self.environments.meet(act, op[2], t, changed=len(op) > 3)
        elif code == "g":
            act.refused(op[2])
        else:
            act.refused(f"operation {code}")

    def _file(self, act: Act, t: int, code: str, op: list[Any]) -> None:
        settler = self.settler
        if code == "r":
            stat = as_stat(op[3])
            if stat is not None:
                role = op[4] if len(op) > 4 and op[4] == "inferred" else ""
                for reader in self._readers(act, op[2]):
                    settler.read(reader, t, op[2], stat, role)
        elif code == "w" and op[4] == "inherited":
            before = as_stat(op[3])
            if before is not None:
                self.sharing.begin(act, t, op[2], before, "a")
        elif code == "w":
            settler.write(act, t, op[2], as_stat(op[3]), op[4])
        elif code == "d":
            settler.delete(act, t, op[2], as_stat(op[3]))
        elif code == "m":
            settler.rename(act, t, op[2], op[3], as_stat(op[4]), as_stat(op[5]))
        elif code == "l":
            settler.link(act, t, op[2], op[3], as_stat(op[4]))

    def _is_anothers(self, act: Act, code: str, op: list[Any]) -> bool:
        """Whether what a walk found after a command was the doing of an activity that ran meanwhile, inside of it."""
        lookup = self.lookup
        place = op[3] if code == "m" else op[2]
        found = lookup.current(lookup.places.name(place))
        if found is None or not (found.generated or found.invalidated):
            return False
        if code == "d":
            return found.invalidated
        began = iso(act.wall_ns(int(act.start["t"])))
        return found.created_at >= began and found.same_file(lstat(place)) and not act.generated_earlier(found)

    def _readers(self, act: Act, absolute: str) -> list[Act]:
        """Who uses what an activity reads: what runs inside another's process reads for that one too (rule 4)."""
        found, writer = [act], self.lookup.dirty.get(absolute)
        while shares(act) and act.parent is not None and writer is not act.first:
            parent = self.lookup.running.get(act.parent.spool)
            if parent is None:
                break
            found.append(parent)
            act = parent
        return found


def shares(act: Act) -> bool:
    """Whether an activity and what it is in share their memory: what one has read, the other knows.

    Cells do not: what passes from one to the next are variables.
    """
    return bool(act.start.get("inside")) and act.start.get("kind") != "cell"
