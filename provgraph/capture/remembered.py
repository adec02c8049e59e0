"""Commands that ran a privileged program under supervision, where that gains nothing: not supervised again."""

from __future__ import annotations

import binascii

from provgraph.client.settings import read_settings, write_settings

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these costs a prefixed command a millisecond
    from collections.abc import Mapping

_KEY = "privileged"
_LIMIT = 200


def is_remembered(settings: Mapping[str, object], argv: list[str]) -> bool:
    """Whether ``.provdb/capture.json``, read as ``settings``, says so of this command."""
    known = settings.get(_KEY)
    return isinstance(known, list) and _name(argv) in known


def remember_privileged(root: str, argv: list[str]) -> None:
    """Note it of a command; of the last 200, that is."""
    known = read_settings(root).get(_KEY)
    names = [name for name in known if name != _name(argv)] if isinstance(known, list) else []
    write_settings(root, **{_KEY: [*names, _name(argv)][-_LIMIT:]})


def _name(argv: list[str]) -> str:
    """The program's name and a checksum of the words: no argument is written down."""
    words = "\0".join(argv).encode("utf-8", "surrogateescape")
    return f"{argv[0].rpartition('/')[2]}:{binascii.crc32(words):08x}"
