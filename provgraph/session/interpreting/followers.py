"""Followers in the process that runs ingestors: each is fed the bytes that its file has grown by."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from provgraph.errors import InputError
from provgraph.ingestors.port import Follower, Following, Ingestor, Occurrence, checked_follower, findings_document

ASKED = ("follow", "feed")
"""What these answer."""


class Followers:
    """Answers requests about followers.

    Parameters:
        ingestor: gives the ingestor that a request names.
    """

    def __init__(self, ingestor: Callable[[Mapping[str, Any]], Ingestor]) -> None:
        self._ingestor = ingestor
        self._followers: dict[int, Follower] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to ``follow`` (begin) or ``feed`` (go on; without data: the file has ended)."""
        if request["do"] == "follow":
            ingestor = self._ingestor(request)
            if not isinstance(ingestor, Following):
                raise InputError(f"{request['name']} has no method follow(occurrence, file)")
            occurrence = Occurrence.from_json(request["occurrence"])
            self._followers[request["id"]] = checked_follower(ingestor.follow(occurrence, occurrence.generated[0]))
            return {}
        data = base64.b64decode(request["data"])
        known = self._followers.get(request["id"])
        if known is None:
            return {"lost": True}  # it was another process that knew it
        if not data:
            del self._followers[request["id"]]
        return {"findings": findings_document(known.feed(data), "feed")}
