"""Rows that are shuffled in blocks: every row once, neighbours together, resumed as others are."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest

import tusk
from tusk._permutation import BlockPermutation
from tusk.loader import Loader

ROWS = 1003


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks") / "t.lance"
    data = pa.table({"id": np.arange(ROWS), "even": np.arange(ROWS) % 2 == 0})
    return tusk.write_dataset(data, path, max_rows_per_file=300)


def ids_of(batches):
    return [batch["id"].to_pylist() for batch in batches]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 100, 1003, 70_001])
@pytest.mark.parametrize("block", [2, 10, 256])
def test_every_number_comes_once_and_blocks_stay_together(size, block):
    order = BlockPermutation(size, block, 4, size)
    found = order(np.arange(size))
    assert found.dtype == np.int64 and np.array_equal(np.sort(found), np.arange(size))
    whole = size // block
    inside = found[: whole * block].reshape(whole, block)
    assert np.all((inside - inside[:, :1]) % max(size, 1) == np.arange(block))
    some = np.arange(size)[::-7]
    assert np.array_equal(order(some), found[some])


def test_blocks_come_in_other_orders_and_begin_elsewhere():
    orders = [BlockPermutation(100_000, 100, 7, epoch) for epoch in (0, 1)]
    firsts = [order(np.arange(0, 100_000, 100)) for order in orders]
    assert firsts[0].tolist() != firsts[1].tolist()
    assert len({int(first[0]) % 100 for first in firsts}) == 2
    # Where a block lies says nothing of where the next one does.
    places = firsts[0] / 100_000
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.1
    assert abs(np.corrcoef(firsts[0], firsts[1])[0, 1]) < 0.1


def test_batches_of_a_block_are_rows_that_follow_each_other(table):
    loader = Loader(table, 100, columns=["id"], block_rows=100, seed=1)
    epochs = [ids_of(loader) for _ in range(2)]
    for batches in epochs:
        assert sorted(itertools.chain(*batches)) == list(range(ROWS))
        for batch in batches:
            assert batch == [(batch[0] + i) % ROWS for i in range(len(batch))]
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("block_rows", [3, 32, 5000])
@pytest.mark.parametrize("world_size", [1, 3])
def test_blocks_are_shared_and_resumed(table, block_rows, world_size):
    def loaders(world_size, batch_size):
        options = {"columns": ["id"], "block_rows": block_rows, "seed": 9}
        return [
            Loader(table, batch_size, rank=rank, world_size=world_size, **options)
            for rank in range(world_size)
        ]

    taken = []
    first = loaders(world_size, 64)
    for loader in first:
        taken += itertools.chain(*ids_of(itertools.islice(loader, 3)))
    state = json.loads(json.dumps(first[0].state_dict()))
    for loader in loaders(2, 50):
        loader.load_state_dict(state)
        taken += itertools.chain(*ids_of(loader))
    assert sorted(taken) == list(range(ROWS))


def test_filtered_rows_come_in_blocks(table):
    loader = Loader(table, 50, columns=["id"], filter="even", block_rows=50)
    batches = ids_of(loader)
    assert sorted(itertools.chain(*batches)) == list(range(0, ROWS, 2))
    for batch in batches:
        assert batch == [(batch[0] + 2 * i) % (ROWS + 1) for i in range(len(batch))]


def test_blocks_are_part_of_the_state_and_states_from_before_have_none(table):
    state = Loader(table, 10, block_rows=4).state_dict()
    with pytest.raises(ValueError, match="block_rows 4, which is 1 here"):
        Loader(table, 10).load_state_dict(state)
    older = Loader(table, 10).state_dict()
    del older["block_rows"]
    Loader(table, 10).load_state_dict(older)
    with pytest.raises(ValueError, match="block_rows 1, which is 4 here"):
        Loader(table, 10, block_rows=4).load_state_dict(older)


@pytest.mark.parametrize(
    "options", [
        {"block_rows": 0},
        {"block_rows": 2, "shuffle": False},
        {"block_rows": 2, "weights": "id"},
    ],
)
def test_wrong_blocks_are_told(table, options):
    with pytest.raises(ValueError, match="block_rows"):
        Loader(table, 10, **options)
