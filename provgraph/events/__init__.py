"""The one frozen envelope in which every fact enters the journal (semantics rule 23)."""

from provgraph.events.envelope import Event, EventBuilder

__all__ = ["Event", "EventBuilder"]
