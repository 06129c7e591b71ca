"""Lance tables in PyTorch: `make test-training` only, which installs it (gigabytes)."""

import functools
import itertools
import json
import os
import socket
import threading

import numpy as np
import pyarrow as pa
import pytest

import tusk

pytestmark = pytest.mark.skipif(
    os.environ.get("TUSK_TEST_TRAINING") != "1", reason="asked for by TUSK_TEST_TRAINING=1"
)
ROWS = 1003


@pytest.fixture(scope="module")
def torch():
    import torch

    # Two tests at a time share this machine's processors with what they start.
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    generator = np.random.default_rng(0)
    data = pa.table(
        {
            "id": np.arange(ROWS),
            "label": np.arange(ROWS, dtype=np.int32) % 10,
            "flag": np.arange(ROWS) % 2 == 0,
            "vector": pa.FixedSizeListArray.from_arrays(
                generator.random(ROWS * 8, dtype=np.float32), 8
            ),
        }
    )
    path = tmp_path_factory.mktemp("torch") / "t.lance"
    return tusk.write_dataset(data, path, max_rows_per_file=150)


def ids_of(batches):
    return [batch["id"].tolist() for batch in batches]


def flat(batches):
    return list(itertools.chain(*ids_of(batches)))


def to_ids(batch):
    return {"id": batch["id"].to_numpy().copy()}


@pytest.mark.parametrize("method", [None, "fork", "spawn"])
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_read_the_same_batches_in_the_same_order(torch, table, method, persistent):
    from tusk.torch.loader import TorchLoader

    expected = tusk.Loader(table, 50, columns=["id"], seed=2)
    expected = [ids_of(expected), ids_of(expected), ids_of(expected)]
    workers = 0 if method is None else 3
    options = {} if method is None else {"multiprocessing_context": method}
    if persistent and workers:
        options["persistent_workers"] = True
    loader = tusk.Loader(table, 50, columns=["id", "vector"], seed=2)
    batches = TorchLoader(loader, workers, **options)
    assert len(batches) == 21
    found = [ids_of(batches)]
    # Left in the middle, with batches read ahead, and gone on with.
    found.append(ids_of(itertools.islice(batches, 4)))
    state = json.loads(json.dumps(batches.state_dict()))
    assert (state["epoch"], state["position"]) == (1, 200)
    found[1] += ids_of(batches)
    found.append(ids_of(batches))
    assert found == expected and batches.epoch == 3
    # By others, in two ranks of other batches.
    rest = []
    for rank in range(2):
        other = tusk.Loader(table, 31, columns=["id", "label"], seed=2, rank=rank, world_size=2)
        other = TorchLoader(other, workers, **options)
        other.load_state_dict(state)
        rest += flat(other)
    assert sorted(rest) == sorted(itertools.chain(*expected[1][4:]))


def test_rows_come_as_tensors(torch, table):
    from tusk.torch.loader import TorchLoader

    whole = table.to_table()
    for batch in TorchLoader(tusk.Loader(table, 100), 2, multiprocessing_context="fork"):
        rows = whole.take(batch["id"].numpy())
        assert batch["label"].dtype == torch.int32 and batch["flag"].dtype == torch.bool
        assert batch["label"].tolist() == rows["label"].to_pylist()
        assert batch["flag"].tolist() == rows["flag"].to_pylist()
        assert batch["vector"].shape == (len(rows), 8) and batch["vector"].dtype == torch.float32
        assert batch["vector"].tolist() == rows["vector"].to_pylist()


def test_transforms_run_in_workers_and_filters_in_the_first_process(torch, table):
    from tusk.torch.loader import TorchLoader

    loader = tusk.Loader(table, 100, filter="flag", transform=to_ids)
    batches = TorchLoader(loader, 2, multiprocessing_context="spawn")
    assert sorted(flat(batches)) == list(range(0, ROWS, 2))
    assert loader.epoch == 1
    with pytest.raises(TypeError, match="shuffle"):
        TorchLoader(loader, shuffle=True)
    none = TorchLoader(tusk.Loader(table, 10, filter="id < 0"), 2, multiprocessing_context="fork")
    assert list(none) == [] and none.epoch == 1


def test_a_state_of_another_version_reaches_living_workers(torch, tmp_path):
    from tusk.torch.loader import TorchLoader

    made = tusk.write_dataset(pa.table({"id": range(100)}), tmp_path / "t")
    state = tusk.Loader(made, 10).state_dict()
    made.delete("id < 50")
    options = {"multiprocessing_context": "fork", "persistent_workers": True}
    batches = TorchLoader(tusk.Loader(made, 10, columns={"id": "id", "n": "1"}), 2, **options)
    assert sorted(flat(batches)) == list(range(50, 100))
    batches.load_state_dict(state)
    assert sorted(flat(batches)) == list(range(100))


def _train(rank, world_size, port, uri, queue):
    import torch

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world_size)
    from tusk.sampler import ShardedBatchSampler
    from tusk.torch.data import LanceDataset
    from tusk.torch.dist import get_global_rank, get_global_world_size

    assert (get_global_rank(), get_global_world_size()) == (rank, world_size)
    loader = tusk.Loader.from_torch(uri, 40, columns=["id", "label"], seed=1)
    ids = flat_batches(loader)
    detected = LanceDataset(uri, 40, columns=["id", "label"])
    sampled = ShardedBatchSampler.from_torch()(tusk.dataset(uri), batch_size=40)
    queue.put((ids, flat(detected), flat_batches(sampled)))
    torch.distributed.destroy_process_group()


def flat_batches(batches):
    return [i for batch in batches for i in batch["id"].to_pylist()]


def test_ranks_are_those_of_torch_distributed(torch, table):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [
        context.Process(target=_train, args=(rank, 2, port, table.uri, queue)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    read = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for first, second in zip(*read):
        assert first and second and sorted(first + second) == list(range(ROWS))


@pytest.mark.parametrize("granularity", [None, "fragment", "batch"])
@pytest.mark.parametrize("workers", [0, 2])
def test_lance_datasets_are_shared_by_workers(torch, table, granularity, workers):
    from tusk.torch.data import LanceDataset

    data = LanceDataset(table, 64, columns=["id", "label"], shard_granularity=granularity)
    options = {"multiprocessing_context": "fork"} if workers else {}
    batches = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers, **options)
    assert sorted(flat(batches)) == list(range(ROWS))
    assert data.schema.names == ["id", "label"]


def test_lance_datasets_with_options(torch, table, tmp_path):
    from tusk.torch.data import LanceDataset

    whole = table.to_table()
    only = list(LanceDataset(table.uri, 64, columns=["vector"], dataset_options={"version": 1}))
    assert all(isinstance(batch, torch.Tensor) for batch in only)
    assert torch.cat(only).tolist() == whole["vector"].to_pylist()
    found = LanceDataset(table, 64, columns=["id"], filter="flag", with_row_id=True)
    assert flat(found) == list(range(0, ROWS, 2))
    assert next(iter(found))["_rowid"].dtype == torch.int64
    sampled = LanceDataset(table, 64, columns=["id", "label"], samples=100)
    assert len(set(flat(sampled))) == 100
    cached = LanceDataset(table, 64, columns=["id", "label"], cache=str(tmp_path))
    assert flat(cached) == list(range(ROWS))
    reads = table.io_stats_snapshot().read_bytes
    assert flat(cached) == list(range(ROWS))
    assert table.io_stats_snapshot().read_bytes == reads
    raw = next(iter(LanceDataset(table, 64, to_tensor_fn=None)))
    assert isinstance(raw, pa.RecordBatch) and raw.num_rows == 64
    with pytest.raises(ValueError, match="shard_granularity"):
        LanceDataset(table, 64, shard_granularity="row")


def test_lance_datasets_give_what_pylance_gives(torch, table):
    """The same tensors in the same batches."""
    import lance
    from lance.torch.data import LanceDataset as Pylance

    from tusk.torch.data import LanceDataset

    for options in ({}, {"filter": "flag"}, {"columns": ["vector"]}, {"with_row_id": True}):
        mine = list(LanceDataset(table, 150, **options))
        other = list(Pylance(lance.dataset(table.uri), 150, **options))
        assert len(mine) == len(other)
        for batch, expected in zip(mine, other):
            if isinstance(expected, torch.Tensor):
                assert torch.equal(batch, expected) and batch.dtype == expected.dtype
            else:
                assert list(batch) == list(expected)
                for name, tensor in expected.items():
                    assert torch.equal(batch[name], tensor), name
                    assert batch[name].dtype == tensor.dtype, name


def test_columns_become_tensors(torch):
    import lance.arrow

    from tusk.torch.data import _to_tensor

    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2))
    halves = lance.arrow.bfloat16_array([1.5, None, -2.0])
    batch = {
        "unsigned": pa.array([1, 2, 2**63], pa.uint64()),
        "maybe": pa.array([1, None, 3], pa.int32()),
        "tensor": tensors,
        "half": halves,
    }
    found = _to_tensor(batch)
    assert found["unsigned"].dtype == torch.int64
    assert _to_tensor(batch, uint64_as_int64=False)["unsigned"].dtype == torch.uint64
    assert found["maybe"].isnan().tolist() == [False, True, False]
    assert found["tensor"].tolist() == np.arange(12.0).reshape(3, 4).tolist()
    assert found["half"].dtype == torch.bfloat16
    assert found["half"][[0, 2]].tolist() == [1.5, -2.0] and found["half"][1].isnan()
    assert _to_tensor({"half": halves.slice(2)}).tolist() == [-2.0]
    # What a tensor does to its values does not reach Arrow's memory.
    column = pa.array([1, 2, 3])
    _to_tensor({"a": column}).zero_()
    assert column.to_pylist() == [1, 2, 3]
    with pytest.raises(ValueError, match="'text' of type string"):
        _to_tensor({"text": pa.array(["a"])})
    with pytest.raises(NotImplementedError, match="to_tensor_fn"):
        _to_tensor({"blob": [object()]}, use_blob_api=True)


def test_pictures_of_hugging_face_datasets(torch, tmp_path):
    import io

    import PIL.Image

    from tusk.torch.data import LanceDataset

    file = io.BytesIO()
    PIL.Image.new("RGB", (4, 3), (10, 20, 30)).save(file, "png")
    info = {"info": {"features": {"image": {"_type": "Image"}}}}
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema(
        {"image": image, "label": pa.int64()}, metadata={"huggingface": json.dumps(info)}
    )
    rows = [{"image": {"bytes": file.getvalue(), "path": None}, "label": 1}]
    made = tusk.write_dataset(pa.Table.from_pylist(rows, schema), tmp_path / "t")
    (batch,) = LanceDataset(made, 10)
    assert batch["label"].tolist() == [1]
    assert batch["image"][0].size == (4, 3) and batch["image"][0].getpixel((0, 0)) == (10, 20, 30)


def test_safe_loaders_spawn_workers(torch, table):
    from tusk.torch.data import SafeLanceDataset, get_safe_loader

    data = SafeLanceDataset(table.uri)
    assert len(data) == ROWS
    assert data[7] == table.take([7]).to_pylist()[0]
    columns = get_safe_loader(data, batch_size=100, num_workers=2, collate_fn=list)
    rows = list(itertools.chain(*columns))
    assert rows == table.to_table().to_pylist()
    alone = get_safe_loader(data, batch_size=100, num_workers=0)
    assert sum(len(batch["id"]) for batch in alone) == ROWS


def _open(uri):
    from tusk.torch.data import LanceDataset

    return LanceDataset(uri, 100, columns=["id", "label"])


def _fail():
    # More than a pipe holds: the process must wait until it is read.
    raise OSError("no such disk" * 100_000)


def test_async_datasets_are_read_by_a_process_of_their_own(torch, table):
    from tusk.torch.async_dataset import async_dataset

    with async_dataset(functools.partial(_open, table.uri), queue_size=2) as data:
        for _ in range(2):
            assert flat(data) == list(range(ROWS))
        for batch in data:
            assert batch["id"].tolist() == list(range(100))
            break
    assert not data.worker.is_alive()
    with async_dataset(_fail) as data, pytest.raises(RuntimeError, match="no such disk"):
        list(data)


def test_preferred_devices_and_tensor_datasets(torch):
    import tusk.torch
    from tusk.torch.data import TensorDataset

    assert tusk.torch.preferred_device("cpu") == torch.device("cpu")
    assert isinstance(tusk.torch.preferred_device(), torch.device)
    data = TensorDataset(np.arange(20).reshape(10, 2), 4)
    assert [len(batch) for batch in data] == [4, 4, 2] and len(data) == 3
    assert torch.cat(list(data)).tolist() == np.arange(20).reshape(10, 2).tolist()


def test_tensors_are_made_by_the_threads_that_read(torch, table):
    from tusk.torch.loader import TorchLoader

    threads = []

    def to_tensors(batch):
        threads.append(threading.current_thread().name)
        return {"id": torch.from_numpy(batch["id"].to_numpy().copy())}

    loader = tusk.Loader(table, 100, columns=["id"], block_rows=100)
    batches = TorchLoader(loader, to_tensors=to_tensors)
    assert sorted(flat(batches)) == list(range(ROWS))
    assert len(threads) == 11 and all(one.startswith("tusk-read-ahead") for one in threads)
