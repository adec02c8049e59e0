"""Members of collections as the server keeps them: one chunk for each, as it was journaled."""

from collections.abc import Iterator

from provgraph.model import members as member_chunks
from provgraph.model.members import Member


def decoded(data: str | bytes) -> Iterator[Member]:
    """The members of a ``ProvgraphMembers`` node, by path.

    Raises:
        ValueError: it is not a whole chunk.
    """
    return member_chunks.decode(data if isinstance(data, str) else bytes(data).decode("ascii"))


def folders_of(path: str) -> list[str]:
    """The folders whose collection may hold ``path``, in every spelling that a collection's path may have."""
    found = ["", "."]
    place = path.find("/")
    while place >= 0:
        found += [path[:place], path[: place + 1]]
        place = path.find("/", place + 1)
    return list(dict.fromkeys(found))
