"""What the engine says, in our words."""

import re
from typing import Final

from provgraph.stores.cypher.values import show

_CODE: Final = re.compile(r"^\w+: (?:GRAFEO-\w+: )?(?:(?:syntax|semantic) error: )?(?:\[Cypher\] )?", re.ASCII)
_PLACE: Final = re.compile(r"--> query:(\d+):(\d+)")
_ADVICE: Final = {
    "PatternComprehension": "a pattern comprehension stands only in WITH or RETURN; name it with WITH … AS first",
}
"""What to do about the engine's own gaps, by a word of its message."""
_HELP: Final = re.compile(r"help: (.*)")


def engine_error(text: str, *, moved: bool) -> str:
    """An error of the engine with a next step.

    ``moved``: parameters were written into the query, so a column is not where the user wrote it.
    """
    message = show(_CODE.sub("", text.split("\n", 1)[0])).strip() or "the engine gives no reason"
    for word, advice in _ADVICE.items():
        if word in message:
            message = advice
    place, help = _PLACE.search(text), _HELP.search(text)
    where = f" at line {place[1]}" + ("" if moved else f", column {place[2]}") if place else ""
    told = f"; {help[1]}" if help else ""
    return (
        f"the query does not run: {message}{where}{told}. "
        "`provdb cypher --examples` shows queries that do, the page Cypher of the documentation what both stores read"
    )
