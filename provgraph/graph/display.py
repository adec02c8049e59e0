"""How a notebook shows graphs, summaries and comparisons: a place for whoever can draw them.

Nothing here draws: ``provgraph.session.display`` puts its renderer here when the package is first used.
"""

from collections.abc import Callable, Iterable
from typing import Any

renderer: Callable[[Any], str | None] | None = None
"""Gives the SVG of a value, None where it cannot be drawn."""


def mimebundle(
    value: object, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
) -> dict[str, str]:
    """What ``_repr_mimebundle_`` gives: the text of the value always, a picture where there is one.

    Parameters:
        include, exclude: media types that are wanted, or not; as IPython asks.
    """
    wanted = {"text/plain", "image/svg+xml"} if include is None else set(include)
    wanted -= set(exclude or ())
    bundle = {"text/plain": repr(value)}
    if "image/svg+xml" in wanted and renderer is not None:
        drawn = renderer(value)
        if drawn is not None:
            bundle["image/svg+xml"] = drawn
    return {kind: text for kind, text in bundle.items() if kind in wanted}
