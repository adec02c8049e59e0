"""The PROV vocabulary as data: kinds, labels, relations, base properties.

Every term stands here once; code reads these tables. Relations keep the names and the direction of W3C PROV-DM
(https://www.w3.org/TR/prov-dm/): source → target is effect → cause.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The three kinds of PROV vertex. Every vertex bears exactly one of them as a label."""

    ENTITY = "Entity"
    ACTIVITY = "Activity"
    AGENT = "Agent"


class Walk(StrEnum):
    """What a walk does with a relation."""

    ANCESTRY = "ancestry"
    """Lineage and the operators follow it (semantics rule 12)."""
    RESPONSIBILITY = "responsibility"
    """Followed for one step, from what was found to its agents."""
    REVISION = "revision"
    """Followed only where it is asked for (``lineage --revisions``)."""
    NEVER = "never"
    """Part of the graph, never of a walk."""


@dataclass(frozen=True, slots=True)
class Relation:
    """One PROV relation: its name, what it joins, and what a walk does with it."""

    name: str
    domain: frozenset[Kind]
    range: frozenset[Kind]
    walk: Walk


_E, _A, _G = frozenset({Kind.ENTITY}), frozenset({Kind.ACTIVITY}), frozenset({Kind.AGENT})

RELATIONS: Final[dict[str, Relation]] = {
    relation.name: relation
    for relation in (
        Relation("used", _A, _E, Walk.ANCESTRY),
        Relation("wasGeneratedBy", _E, _A, Walk.ANCESTRY),
        Relation("wasAssociatedWith", _A, _G, Walk.RESPONSIBILITY),
        Relation("wasAttributedTo", _E, _G, Walk.RESPONSIBILITY),
        Relation("wasDerivedFrom", _E, _E, Walk.REVISION),
        Relation("wasInformedBy", _A, _A, Walk.NEVER),
        Relation("wasInvalidatedBy", _E, _A, Walk.NEVER),
        Relation("specializationOf", _E, _E, Walk.NEVER),
        Relation("alternateOf", _E, _E, Walk.NEVER),
        Relation("hadMember", _E, _E, Walk.NEVER),
        Relation("actedOnBehalfOf", _G, _G, Walk.NEVER),
    )
}

ANCESTRY: Final[tuple[str, ...]] = tuple(r.name for r in RELATIONS.values() if r.walk is Walk.ANCESTRY)
RESPONSIBILITY: Final[tuple[str, ...]] = tuple(r.name for r in RELATIONS.values() if r.walk is Walk.RESPONSIBILITY)

LABELS: Final[dict[str, Kind]] = {
    "Artifact": Kind.ENTITY,
    "Snapshot": Kind.ENTITY,
    "Version": Kind.ENTITY,
    "Environment": Kind.ENTITY,
    "Collection": Kind.ENTITY,
    "Dataset": Kind.ENTITY,
    "Variable": Kind.ENTITY,
    "Command": Kind.ACTIVITY,
    "Run": Kind.ACTIVITY,
    "Cell": Kind.ACTIVITY,
    "Commit": Kind.ACTIVITY,
    "Unseen": Kind.ACTIVITY,
    "Gathering": Kind.ACTIVITY,
    "Person": Kind.AGENT,
    "SoftwareAgent": Kind.AGENT,
}
"""The more specific labels, each beside the kind that it implies."""

KINDS: Final[frozenset[str]] = frozenset(kind.value for kind in Kind)

UNNUMBERED: Final[frozenset[str]] = frozenset({"Unseen", "Gathering", "Commit"})
"""The activities that nobody ran as such, and that ``%n`` therefore does not count."""


@dataclass(frozen=True, slots=True)
class Property:
    """A base property: where it stands, its JSON type (``datetime`` is an ISO 8601 string), its unit and meaning."""

    key: str
    on: tuple[str, ...]
    type: str
    meaning: str


PROPERTIES: Final[dict[str, Property]] = {
    p.key: p
    for p in (
        Property("name", ("Activity", "Agent"), "string", "made for display"),
        Property("command", ("Activity",), "string", "the command line, scrubbed"),
        Property("argv", ("Activity",), "strings", "the words of the command, scrubbed"),
        Property("utility", ("Activity",), "string", "the program's name without its folder"),
        Property("options", ("Activity",), "strings", "options with their arguments"),
        Property("operands", ("Activity",), "strings", "operands"),
        Property("cwd", ("Activity",), "string", "the folder it ran in"),
        Property("exit_status", ("Activity",), "integer", "as a shell sees it (128+n on a signal)"),
        Property("started_at", ("Activity",), "datetime", "UTC"),
        Property("ended_at", ("Activity",), "datetime", "UTC; absent while it runs"),
        Property("duration_s", ("Activity",), "number", "seconds"),
        Property("cpu_s", ("Activity",), "number", "seconds of processor time"),
        Property("max_rss_bytes", ("Activity",), "integer", "bytes, of the largest process"),
        Property("capture", ("Activity",), "string", "which method saw it"),
        Property("host", ("Activity",), "string", "the machine's name"),
        Property("error_type", ("Activity",), "string", "of a run or a cell: the exception that ended it"),
        Property("error", ("Activity",), "string", "its message, scrubbed"),
        Property("path", ("Artifact", "Snapshot"), "string", "from the project's root; absolute outside"),
        Property("sha256", ("Snapshot",), "string", "of the raw bytes, hexadecimal"),
        Property("size_bytes", ("Snapshot",), "integer", "bytes"),
        Property("mode", ("Snapshot",), "integer", "permission bits"),
        Property("media_type", ("Snapshot",), "string", "guessed from the name"),
        Property("sequence", ("Snapshot",), "integer", "1 for an artifact's first snapshot"),
        Property("created_at", ("Snapshot", "Version"), "datetime", "UTC"),
        Property("restorable", ("Snapshot",), "boolean", "whether this store has the bytes"),
        Property("content", ("Snapshot",), "string", "'unknown', 'unhashed': no digest was read; 'purged': forgotten"),
        Property("purged_at", ("Entity", "Activity", "Agent"), "datetime", "UTC; when it lost something for good"),
        Property("purged_by", ("Entity", "Activity", "Agent"), "string", "who removed it"),
        Property("kind", ("Version",), "string", "implicit or explicit"),
        Property("commit", ("Version", "Activity"), "string", "id of the git commit, of an explicit version"),
        Property("message", ("Version", "Activity"), "string", "of a git commit, scrubbed"),
        Property("authored_at", ("Version", "Activity"), "datetime", "UTC; when a git commit was written"),
        Property("email", ("Agent",), "string", "lower case"),
        Property("same_as", ("Agent",), "string", "uid of the agent that this one was merged into"),
        Property("at", ("used", "wasGeneratedBy", "wasInvalidatedBy"), "datetime", "UTC"),
        Property("role", ("used", "wasGeneratedBy"), "string", "what the relation was for"),
        Property("operand", ("used", "wasGeneratedBy"), "boolean", "true where the command line names the file"),
        Property("activity", ("wasDerivedFrom", "Version"), "string", "uid of the activity"),
        Property("missing", ("wasDerivedFrom",), "boolean", "true where nobody saw the change"),
        Property("prov_type", ("wasDerivedFrom",), "string", "Revision, Copy, Rename, …"),
    )
}

OWN_KEYS: Final[frozenset[str]] = frozenset(PROPERTIES) | {
    "uid", "labels", "number", "whole", "origin", "seq", "path_bytes", "members_count", "interrupted", "removed",
    "capture_lost_at", "scratch_files", "intermediate_writes", "git_commit", "git_branch", "git_dirty",
    "files_changed", "files_unrecorded", "shallow", "ingestors", "ingestors_failed", "ingestor_notes", "superseded_by",
}  # fmt: skip
"""Keys that users and ingestors may not set: the base's own."""


def kind_of(labels: "list[str] | tuple[str, ...] | frozenset[str]") -> Kind:
    """The one kind among ``labels``.

    Raises:
        ValueError: none or more than one of ``Entity``, ``Activity``, ``Agent`` is there.
    """
    found = [label for label in labels if label in KINDS]
    if len(found) != 1:
        raise ValueError(f"exactly one of Entity, Activity, Agent must be among the labels, not {sorted(labels)}")
    return Kind(found[0])
