"""The first words that mean provdb itself; any other first word is a command to run and record.

Read on the wrapping path: this module imports nothing.
"""

AVAILABLE = {
    "agents": "who is who",
    "annotate": "add properties to a vertex",
    "blame": "what last changed each line of a file",
    "client": "recording inside other interpreters",
    "compare": "what differs between two vertices, segments or lineages",
    "completion": "print a shell's completion script",
    "cypher": "ask a question in Cypher",
    "doctor": "check the store and the capture methods",
    "forget": "remove something for good, leaving a tombstone",
    "gc": "give space back",
    "git-hooks": "record commits, checkouts, merges and rebases",
    "help": "explain a command, as --help does",
    "ingestors": "what interprets commands and files",
    "init": "make this folder a project",
    "lineage": "what a thing came from, or what came of it",
    "log": "activities, newest first",
    "order": "which cells of a notebook ran out of order",
    "pull": "take what colleagues sent to the team's server",
    "push": "send what is recorded to the team's server",
    "record": "declare provenance that the wrapper cannot see",
    "remote": "the team's servers",
    "restore": "the bytes of a snapshot",
    "run": "run and record a command, with options",
    "segment": "how destinations came from sources, and what else took part",
    "show": "one vertex: properties and relations",
    "status": "versions, unrecorded changes, work not yet ingested",
    "summarize": "what segments have in common, and what is odd in one",
    "trust": "let a store that is not mine run code, send data",
}
"""Commands of this version, each with its line in ``provdb --help``."""

LATER = {
    "search": "words in commands, notes and contents",
    "shell": "an interactive shell that records",
}
"""Words kept for commands that this version does not have: refused with a reason, so no script grows a habit
(``provdb search a`` running another program of that name) that a later version would break."""

RESERVED = frozenset(AVAILABLE) | frozenset(LATER)
"""All words that are no command to run. ``provdb run -- WORD …`` runs a program of that name."""
