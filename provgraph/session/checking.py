"""``doctor``: is the store whole, can commands be captured, what went wrong."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provgraph.errors import ProvGraphError, QuestionError
from provgraph.session.checking_remotes import check_remotes
from provgraph.session.findings import Finding, State
from provgraph.session.pending import spooled
from provgraph.session.standing import failures

if TYPE_CHECKING:
    from provgraph.session.project import Project

_NAMED = 20
_WELL: Final = {
    "layout": "folders, modes and the guard against git are as they must be",
    "journal": "every event is there and readable",
    "projection": "says what the journal says, without a cycle",
    "objects": "all contents agree with their digests",
}


@dataclass(frozen=True, slots=True)
class Checkup:
    """What ``doctor`` found. ``digest`` is the projection's after a rebuild, ``backup`` the file that was written."""

    findings: tuple[Finding, ...]
    digest: str | None = None
    backup: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing is bad."""
        return all(finding.state != "bad" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The document ``provgraph/doctor/1``."""
        return {
            "schema": "provgraph/doctor/1",
            "healthy": self.healthy,
            "findings": [finding.to_json() for finding in self.findings],
            "digest": self.digest,
            "backup": self.backup,
        }


def check(project: "Project", *, rebuild: bool, backup: str | None) -> Checkup:
    """Look at everything that can be wrong. Cost: the whole journal and all objects are read."""
    findings: list[Finding] = []
    stopped: dict[str, list[str]] = {}
    """Error → the checks that it kept from being made."""
    digest = None
    target = None if backup is None else _backup_place(project, backup)
    if rebuild:
        digest = project.store(write=True).rebuild()
        findings.append(Finding("projection", "ok", "made anew from the journal"))
    for name, checks in (
        ("ingestion", _ingestion),
        ("store", _store),
        ("capture", _capture),
        ("ingestors", _ingestors),
        ("remote", check_remotes),
    ):
        try:
            findings += checks(project)
        except ProvGraphError as error:
            stopped.setdefault(str(error), []).append(name)
            if len(stopped[str(error)]) == 1:
                findings.append(Finding(name, "bad", str(error)))
    findings = [_with_others(finding, stopped.get(finding.text, ())) for finding in findings]
    if backup is not None and target is not None:
        findings.append(_backup(project, backup, target))
    return Checkup(tuple(findings), digest, backup)


def _with_others(finding: Finding, stopped: Sequence[str]) -> Finding:
    """An error that kept several checks from being made, as a configuration that cannot be read, is told once."""
    if len(stopped) < 2 or finding.check != stopped[0]:
        return finding
    return replace(finding, text=f"{finding.text}; so {', '.join(stopped[1:])} could not be checked")


def _backup_place(project: "Project", target: str) -> str:
    """The absolute path of the backup, where one can be written; looked at before hours of checks."""
    path = project.disk.absolute(target)
    folder = os.path.dirname(path)
    if not target:
        raise QuestionError("--backup names no file; write it like --backup ../history.tar")
    if os.path.lexists(path):
        raise QuestionError(f"{target} is there already; a backup never replaces a file: name another")
    if not os.path.isdir(folder):
        raise QuestionError(f"{target} cannot be written: there is no folder {folder}; make it, or name another file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise QuestionError(f"{target} cannot be written: the folder {folder} is not yours to write to; name another")
    if f"{folder}/".startswith(f"{project.root.rstrip('/')}/.provdb/"):
        raise QuestionError(f"{target} lies within the store that it is to be a copy of; name a file elsewhere")
    return path


def _backup(project: "Project", target: str, path: str) -> Finding:
    from provgraph.stores.backup import backup

    size = backup(project.store(), path)
    return Finding("backup", "ok", f"{size:,} bytes; `tar -xf` in an empty folder makes it a project again", target)


def _ingestion(project: "Project") -> Iterator[Finding]:
    """What lies in the spool, and what the ingester complained of."""
    project.settle_pending()
    lying = list(spooled(project.root))
    waiting = [item.command for item in lying if item.closed]
    if waiting:
        yield Finding("ingestion", "note", f"{len(waiting)} ended commands are not yet ingested: {waiting[0]}, …")
    failed = failures(project.root, _NAMED)
    for line in failed:
        yield Finding("ingestion", "bad", f"could not be ingested: {line}")
    if not waiting and not failed:
        running = sum(not item.closed for item in lying)
        yield Finding("ingestion", "ok", f"nothing is left behind; {running} {'runs' if running == 1 else 'run'} now")


def _store(project: "Project") -> Iterator[Finding]:
    """Lay-out, journal, projection, objects, spool, each read whole."""
    from provgraph.stores.checks import check_store

    states: dict[str, State] = {"error": "bad", "warning": "warning", "note": "note"}
    named: set[str] = set()
    for found in check_store(project.store()):
        named.add(found.check)
        yield Finding(found.check, states[found.severity], found.message, found.subject, found.remedy)
    for name, text in _WELL.items():
        if name not in named:
            yield Finding(name, "ok", text)


def _capture(project: "Project") -> Iterator[Finding]:
    """Which capture method works here."""
    from provgraph.client.settings import read_settings

    settings = read_settings(project.root)
    method = settings.get("method")
    if method is None:
        yield Finding("capture", "note", "no command was recorded yet, so no capture method was tried")
    elif method == "seccomp":
        yield Finding("capture", "ok", "the supervisor sees every process of a command (seccomp)")
    else:
        why = settings.get("reason") or "the supervisor does not work here"
        yield Finding("capture", "note", f"by {method}: {why}; what is read is inferred")


def mended(where: str) -> str:
    """What to do about an ingestor that cannot be loaded, by where it comes from."""
    if where.startswith("entry point "):
        return f"mend or uninstall the package that offers the {where}"
    return f"mend {where}; `provdb ingestors test` runs it"


def _ingestors(project: "Project") -> Iterator[Finding]:
    """Which of the project's own ingestors do not run, and why."""
    listing = project.ingestors.list()
    for broken in listing.unusable:
        yield Finding("ingestors", "warning", f"cannot be loaded: {broken.error}", broken.name, mended(broken.where))
    if listing.untrusted:
        remedy = f"look at them, then `provdb trust {project.root}`"
        text = "not used, for the store is not trusted as it is now"
        yield Finding("ingestors", "note", text, ", ".join(listing.untrusted), remedy)
    if not listing.unusable and not listing.untrusted:
        yield Finding("ingestors", "ok", f"all {len(listing.rows)} can be loaded")
