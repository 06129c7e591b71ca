"""The order of a shuffled epoch: every number once, and no order more likely than another."""

import collections
import math

import numpy as np
import pytest

from tusk._permutation import Permutation, keys
from tusk._rows import RowList


def deviations(counts, expected, freedom):
    """By how many standard deviations Pearson's statistic is above what chance gives."""
    statistic = ((np.asarray(counts) - expected) ** 2 / expected).sum()
    return (statistic - freedom) / math.sqrt(2 * freedom)


def test_every_number_comes_once():
    sizes = [*range(260), 1000, 4095, 4096, 4097, 65535, 65536, 65537, 250_001]
    for size in sizes:
        order = Permutation(size, 1, size)(np.arange(size))
        assert order.dtype == np.int64
        assert np.array_equal(np.sort(order), np.arange(size)), size


def test_parts_are_parts_of_the_whole():
    order = Permutation(10_007, 5)
    whole = order(np.arange(10_007))
    some = np.array([10_006, 0, 77, 77, 4096])
    assert np.array_equal(order(some), whole[some])
    assert len(order(np.arange(0))) == 0


def test_numbers_beyond_32_bits_stay_below_the_size():
    size = 10**15 + 7
    positions = np.arange(size - 5000, size)
    found = Permutation(size, 3)(positions)
    assert found.min() >= 0 and found.max() < size
    assert len(np.unique(found)) == 5000
    # Spread over all of it, as a twentieth each.
    counts = np.bincount(found * 20 // size, minlength=20)
    assert deviations(counts, 250, 19) < 5


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_all_orders_of_few_numbers_are_as_likely(size):
    rounds = 6000
    found = collections.Counter(
        tuple(Permutation(size, seed)(np.arange(size)).tolist()) for seed in range(rounds)
    )
    orders = math.factorial(size)
    assert len(found) == orders
    assert deviations(list(found.values()), rounds / orders, orders - 1) < 5


@pytest.mark.parametrize("size", [20, 1000, 5000, 300_000])
def test_neighbours_places_and_epochs_are_independent(size):
    """A number's twentieth says nothing of the next number's, its place's or the next epoch's."""
    parts = 20
    places = np.arange(size) * parts // size
    next_to, placed, again = np.zeros((3, parts, parts))
    for seed in range(min(1000, max(2, 1_000_000 // size))):
        order = Permutation(size, seed, 0)(np.arange(size)) * parts // size
        other = Permutation(size, seed, 1)(np.arange(size)) * parts // size
        np.add.at(next_to, (order[:-1], order[1:]), 1)
        np.add.at(placed, (places, order), 1)
        np.add.at(again, (order, other), 1)
    expected = np.full((parts, parts), (size / parts) ** 2)
    np.fill_diagonal(expected, (size / parts) * (size / parts - 1))
    expected *= next_to.sum() / expected.sum()
    possible = expected > 0
    assert deviations(next_to[possible], expected[possible], possible.sum() - 1) < 5
    assert deviations(placed, placed.mean(), (parts - 1) ** 2) < 5
    assert deviations(again, again.mean(), (parts - 1) ** 2) < 5


def test_keys_differ_by_every_number():
    given = [(), (0,), (0, 0), (1,), (-1,), (1 << 64,), (1, 0), (0, 1), (2**64 - 1,), (1 << 128,)]
    assert len({tuple(keys(2, *numbers)) for numbers in given}) == len(given)
    assert keys(2, 5, 6) == keys(2, 5, 6) and keys(3, 5, 6)[:2] == keys(2, 5, 6)


def slow_order(size, position, round_keys):
    """The network of docs/decisions/062-training.md, number by number."""
    word = (1 << 64) - 1

    def mixed(number):
        number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & word
        number = (number ^ number >> 27) * 0x94D049BB133111EB & word
        return number ^ number >> 31

    rows = math.ceil(math.sqrt(size))
    rows += rows % 2
    columns = math.ceil(size / rows)
    while True:
        column, row = divmod(position, rows)
        for first, second in zip(round_keys[::2], round_keys[1::2]):
            row = (row + mixed((column * 0x9E3779B97F4A7C15 + first) & word)) % rows
            column = (column + mixed((row * 0x9E3779B97F4A7C15 + second) & word)) % columns
        position = column * rows + row
        if position < size:
            return position


@pytest.mark.parametrize(("size", "rounds"), [(2, 16), (99, 16), (100, 16), (4096, 8), (10**9, 8)])
def test_the_order_is_that_of_the_documented_network(size, rounds):
    positions = [0, 1, size // 3, size - 1]
    expected = [slow_order(size, p, keys(rounds, 7, 3)) for p in positions]
    assert Permutation(size, 7, 3)(positions).tolist() == expected


def test_the_keys_of_a_seed_never_change():
    """A state that was kept must lead to the same rows with later versions."""
    # The published sequence of splitmix64 from state 0.
    assert keys(3) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert keys(2, 7, 3) == [0x7A4A255B1C7A6565, 0x9BB769FD2469B2B9]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.001])
def test_row_lists_give_back_their_numbers(share):
    numbers = np.flatnonzero(np.random.default_rng(2).random(1_000_000) < share)
    pieces = np.split(numbers, sorted(np.random.default_rng(3).integers(0, len(numbers), 9)))
    rows = RowList(pieces)
    assert len(rows) == len(numbers)
    places = np.random.default_rng(4).integers(0, len(numbers), 10_000)
    assert np.array_equal(rows[places], numbers[places])
    assert np.array_equal(rows[np.arange(len(rows))], numbers)
    assert rows.nbytes <= 2 * len(numbers) + 8 * 16
    assert rows.checksum == RowList([numbers]).checksum != RowList([numbers[:-1]]).checksum


def test_row_lists_hold_numbers_far_apart_and_none():
    numbers = [0, 65535, 65536, 5_000_000_000]
    assert RowList([numbers[:2], [], numbers[2:]])[np.arange(4)].tolist() == numbers
    assert len(RowList([])) == 0 and len(RowList([[]])) == 0
