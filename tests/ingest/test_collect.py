"""Which folders' files are one collection."""

from hypothesis import given
from hypothesis import strategies as st

from provgraph.ingest.collect import groups


def test_descends_to_the_folder_that_holds_the_files():
    paths = [f"/p/data/train/{number}.png" for number in range(2000)] + ["/p/config", "/p/train.py"]
    assert list(groups(paths, 1000)) == ["/p/data/train"]
    assert len(groups(paths, 1000)["/p/data/train"]) == 2000


def test_stays_above_two_halves():
    paths = [f"/p/data/{half}/{number}" for half in ("a", "b") for number in range(800)]
    assert list(groups(paths, 1000)) == ["/p/data"]


def test_repeats_with_what_is_left():
    paths = [f"/p/big/{number}" for number in range(30_000)] + [f"/p/small/{number}" for number in range(1500)]
    found = groups(paths, 1000)
    assert {folder: len(below) for folder, below in found.items()} == {"/p/big": 30_000, "/p/small": 1500}


def test_few_files_are_no_collection():
    assert groups([f"/p/{number}" for number in range(1000)], 1000) == {}


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), max_size=60), st.integers(1, 10))
def test_every_file_is_in_one_folder_at_most(walks, threshold):
    paths = {"/" + "/".join(walk) + f"/f{number}" for number, walk in enumerate(walks)}
    found = groups(paths, threshold)
    taken = [path for below in found.values() for path in below]
    assert len(taken) == len(set(taken))
    assert len(paths) - len(taken) <= threshold
    for folder, below in found.items():
        assert len(below) > threshold
        assert all(path.startswith(folder.rstrip("/") + "/") for path in below)
