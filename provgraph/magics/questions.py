"""What ``%provdb`` understands: questions that it hands to the ``provdb`` process, and what it does itself."""

from __future__ import annotations

PICTURES = ("lineage", "segment", "summarize", "compare")
"""Questions whose answer is drawn."""
DOCUMENTS = ("log", "cypher", "order", "show")
"""Questions whose answer is a table."""
TEXTS = (
    "agents", "annotate", "blame", "doctor", "help", "ingestors", "init", "pull", "push", "record", "remote", "restore",
)  # fmt: skip
"""What is shown as ``provdb`` prints it."""
QUESTIONS = (*PICTURES, *DOCUMENTS, *TEXTS)
OWN = ("on", "off", "status")
"""What the magic does itself: it is about this kernel."""
INTO = "_provdb"
"""The variable that the answer lands in where ``--into`` names none."""
FACES = ("--json", "--csv", "--dot", "--svg", "--mermaid", "--help", "-h")
"""Options that say how an answer is printed: it is shown as it is, then."""
