"""Members of a Collection as one compact text (semantics rule 17).

Digests do not compress, paths do: a chunk is base64 over zlib over the sorted paths (NUL-separated), then the sizes,
then the raw digests. 200,000 members with paths of 12 characters take 9 MB, nearly all of it digests.
"""

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

Member = tuple[str, str | None, int]
"""(path from the collection's folder, SHA-256 or None where it was never read, size in bytes)."""

_NO_DIGEST = bytes(32)


def encode(members: Iterable[Member]) -> str:
    """Members, sorted by path, as text."""
    rows = sorted(members)
    paths = "\0".join(path for path, _, _ in rows).encode("utf-8", "surrogateescape")
    sizes = struct.pack(f"<{len(rows)}Q", *(size for _, _, size in rows))
    digests = b"".join(bytes.fromhex(sha256) if sha256 else _NO_DIGEST for _, sha256, _ in rows)
    head = zlib.compress(struct.pack("<II", len(rows), len(paths)) + paths + sizes, 6)
    return base64.b64encode(struct.pack("<I", len(head)) + head + digests).decode("ascii")


def decode(chunk: str) -> Iterator[Member]:
    """The members that ``encode`` was given, sorted by path.

    Raises:
        ValueError: the text is not a whole chunk.
    """
    try:
        raw = base64.b64decode(chunk, validate=True)
        (head_length,) = struct.unpack_from("<I", raw)
        head = zlib.decompress(raw[4 : 4 + head_length])
        count, path_length = struct.unpack_from("<II", head)
        paths = head[8 : 8 + path_length].decode("utf-8", "surrogateescape").split("\0") if count else []
        sizes = struct.unpack_from(f"<{count}Q", head, 8 + path_length)
        digests = raw[4 + head_length :]
    except (struct.error, zlib.error, binascii.Error) as error:
        raise ValueError(f"not a chunk of collection members: {error}") from error
    if len(paths) != count or len(digests) != 32 * count:
        raise ValueError(f"a chunk of {count} collection members was cut short")
    for place, path in enumerate(paths):
        digest = digests[32 * place : 32 * place + 32]
        yield path, None if digest == _NO_DIGEST else digest.hex(), sizes[place]


def digest(members: Sequence[Member]) -> str | None:
    """The SHA-256 of a collection: over its sorted (path, digest) pairs. None where a member's digest is unknown."""
    sha = hashlib.sha256()
    for path, sha256, _ in sorted(members):
        if sha256 is None:
            return None
        sha.update(path.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(sha256))
    return sha.hexdigest()
