"""Takes of wide values in any order, from several files, give what pylance gives."""

import lance
import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 90


def wide(type_, generator):
    """Values of 4 KiB and more, with nulls, and one in ten empty where the type has empty ones."""

    def value(row):
        if row % 7 == 3:
            return None
        if pa.types.is_fixed_size_list(type_):
            return generator.random(type_.list_size).tolist()
        if pa.types.is_fixed_size_binary(type_):
            return generator.bytes(type_.byte_width)
        size = 0 if row % 10 == 1 else int(generator.integers(6000, 9000))
        if pa.types.is_string(type_) or pa.types.is_large_string(type_):
            return "äx" * (size // 3)
        return generator.bytes(size)

    return pa.array([value(row) for row in range(ROWS)], type_)


@pytest.mark.parametrize(
    "type_",
    [
        pa.binary(), pa.string(), pa.large_binary(), pa.large_string(), pa.binary(5000),
        pa.list_(pa.float64(), 700), pa.list_(pa.float32(), 2000),
    ],
    ids=str,
)  # fmt: skip
def test_wide_values_come_in_the_order_asked(tmp_path, type_):
    generator = np.random.default_rng(0)
    table = pa.table({"id": range(ROWS), "wide": wide(type_, generator)})
    lance.write_dataset(table, str(tmp_path / "t"), max_rows_per_file=25)
    ours, theirs = tusk.dataset(tmp_path / "t"), lance.dataset(str(tmp_path / "t"))
    for wanted in (
        generator.permutation(ROWS),
        generator.integers(0, ROWS, 200),
        [89, 0],
        [5, 5, 5, 3],
        np.arange(ROWS)[::-1],
        [60],
    ):
        found = ours.take(wanted)
        found.validate(full=True)
        assert found.equals(table.take(wanted)) and found.equals(theirs.take(list(wanted)))
        addresses = theirs.take(list(wanted), columns=["_rowaddr"])["_rowaddr"]
        assert ours._take_addresses(addresses).equals(found)
    ours.delete("id % 4 = 0")
    left = table.filter(np.arange(ROWS) % 4 != 0)
    wanted = generator.permutation(len(left))
    assert ours.take(wanted).equals(left.take(wanted))
