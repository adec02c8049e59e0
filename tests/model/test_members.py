"""Members of a collection as one text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provgraph.model.members import decode, digest, encode

_digests = st.one_of(st.none(), st.binary(min_size=32, max_size=32).filter(any).map(bytes.hex))
_paths = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=12)
_members = st.dictionaries(_paths, st.tuples(_digests, st.integers(0, 2**63))).map(
    lambda found: [(path, sha256, size) for path, (sha256, size) in found.items()]
)


@given(_members)
def test_decode_gives_what_encode_got(members):
    assert list(decode(encode(members))) == sorted(members)


@given(_members, st.randoms())
def test_the_order_of_members_does_not_matter(members, rng: random.Random):
    shuffled = members.copy()
    rng.shuffle(shuffled)
    assert encode(shuffled) == encode(members)
    assert digest(shuffled) == digest(members)


def test_a_digest_that_nobody_read_makes_none():
    assert digest([("a", "00" * 31 + "01", 1), ("b", None, 2)]) is None


def test_bytes_that_are_no_utf8_survive():
    assert list(decode(encode([("caf\udce9", None, 1)]))) == [("caf\udce9", None, 1)]


def test_a_chunk_that_was_cut_is_an_error():
    chunk = encode([(str(number), "ab" * 32, 1) for number in range(10)])
    for length in (0, 3, 16, len(chunk) // 2, len(chunk) - 4):
        with pytest.raises(ValueError, match="chunk"):
            list(decode(chunk[:length]))


def test_200_000_members_fit_in_9_megabytes():
    random.seed(1)
    members = [(f"{number:08}.png", random.randbytes(32).hex(), 784) for number in range(200_000)]
    assert len(encode(members)) < 9_500_000
