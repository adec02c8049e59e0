"""How the journal's stream is cut into what is sent at once."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provgraph.events import Event
from provgraph.events.batches import batches, elements_of


def event(number: int, vertices: int, edges: int = 0) -> Event:
    body = {"vertices": [[["Entity"], {}]] * vertices, "edges": [["used", 0, 0]] * edges}
    time = "2026-11-21T12:00:00+00:00"
    return Event(number, f"uid{number}", "origin", number, "provenance.declared", 1, time, body)


sized = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200)), max_size=40).map(
    lambda rows: [(event(n, v, e), size) for n, (v, e, size) in enumerate(rows, 1)]
)


@given(sized, st.integers(1, 60), st.integers(1, 400))
def test_cuts_keep_order_and_bounds(events: list[tuple[Event, int]], elements: int, size_bytes: int) -> None:
    found = list(batches(iter(events), elements=elements, size_bytes=size_bytes))
    assert [e for batch in found for e in batch] == [e for e, _ in events]
    sizes = {e.uid: size for e, size in events}
    for batch in found:
        assert batch
        assert len(batch) == 1 or sum(map(elements_of, batch)) <= elements
        assert len(batch) == 1 or sum(sizes[e.uid] for e in batch) <= size_bytes
    for batch, following in pairwise(found):  # none is smaller than it must be
        longer = [*batch, following[0]]
        assert sum(map(elements_of, longer)) > elements or sum(sizes[e.uid] for e in longer) > size_bytes


def test_reads_no_further_than_it_must() -> None:
    read = []

    def stream():
        for number in range(1, 100):
            read.append(number)
            yield event(number, 10), 1

    first = next(batches(stream(), elements=25))
    assert [e.origin_seq for e in first] == [1, 2]
    assert read == [1, 2, 3]
