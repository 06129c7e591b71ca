"""Distances, k-means, true neighbours in PyTorch, beside pylance's: `make test-training` only."""

import os

import numpy as np
import pyarrow as pa
import pytest

import tusk

pytestmark = pytest.mark.skipif(
    os.environ.get("TUSK_TEST_TRAINING") != "1", reason="asked for by TUSK_TEST_TRAINING=1"
)
METRICS = ("l2", "cosine", "dot")


@pytest.fixture(scope="module")
def torch():
    import torch

    torch.set_num_threads(1)
    # pylance compiles its distances, which takes a minute.
    import torch._dynamo

    torch._dynamo.config.disable = True
    return torch


def random_rows(torch, rows, dim, seed, unit=False):
    values = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(values) if unit else values


@pytest.mark.parametrize("name", ["pairwise_l2", "pairwise_cosine"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_pairs_are_as_pylance_computes_them(torch, name, dtype):
    import lance.torch.distance as theirs

    import tusk.torch.distance as ours

    if name == "pairwise_cosine" and dtype.endswith("16"):
        pytest.skip("pylance computes it in halves")
    dtype = getattr(torch, dtype)
    x, y = (random_rows(torch, rows, 19, rows).to(dtype) for rows in (200, 31))
    found, expected = (getattr(one, name)(x, y) for one in (ours, theirs))
    assert found.dtype == expected.dtype == dtype
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["l2_distance", "dot_distance", "cosine_distance"])
def test_the_nearest_are_as_pylance_finds_them(torch, name, monkeypatch):
    import lance.torch.distance as theirs

    import tusk.torch.distance as ours

    # So that there are several parts, the last of them smaller.
    monkeypatch.setattr(ours, "_PART", 31 * 64)
    x, y = (random_rows(torch, rows, 19, rows) for rows in (200, 31))
    ids, distances = getattr(ours, name)(x, y)
    expected_ids, expected = getattr(theirs, name)(x, y)
    assert ids.tolist() == expected_ids.tolist()
    torch.testing.assert_close(distances, expected, rtol=1e-4, atol=1e-5)
    x[7, 3] = float("nan")
    ids, distances = getattr(ours, name)(x, y)
    assert ids[7] == -1 and distances[7].isnan()
    others = torch.arange(200) != 7
    assert ids[others].tolist() == expected_ids[others].tolist()


def test_distances_of_near_rows_keep_their_digits(torch):
    from tusk.torch.distance import argmin_l2, l2_distance

    # |x|^2 is 1e6: the difference of squares would be lost in float32.
    y = torch.full((1, 100), 100.0)
    x = y + 1e-3
    exact = float(((x.double() - y.double()) ** 2).sum())
    assert l2_distance(x, y)[1].item() == pytest.approx(exact, rel=1e-5)
    distances, ids = argmin_l2(x.to(torch.bfloat16), y.to(torch.bfloat16))
    assert distances.shape == ids.shape == (1, 1) and distances.dtype == torch.float32


def test_distances_refuse_what_are_no_rows(torch):
    from tusk.torch.distance import l2_distance, pairwise_l2

    with pytest.raises(ValueError, match="two matrices"):
        l2_distance(torch.zeros(3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="rows of 3 and of 4 values"):
        pairwise_l2(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="of one type"):
        pairwise_l2(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("metric", METRICS)
def test_centroids_are_as_pylance_finds_them(torch, metric):
    from lance.torch.kmeans import KMeans as TheirKMeans

    from tusk.torch.kmeans import KMeans

    data = random_rows(torch, 3000, 8, 1, unit=True)
    first = data[:9].clone()
    found, expected = (
        kind(9, metric=metric, centroids=first.clone(), max_iters=6, tolerance=0, device="cpu")
        for kind in (KMeans, TheirKMeans)
    )
    for kmeans in (found, expected):
        kmeans.fit(data)
    torch.testing.assert_close(found.centroids, expected.centroids, rtol=1e-4, atol=1e-5)
    assert found.total_distance == pytest.approx(expected.total_distance, rel=1e-5)
    assert found.transform(data).tolist() == expected.transform(data).tolist()


def test_clusters_that_lie_apart_are_found_in_every_kind_of_data(torch, tmp_path):
    from tusk.torch.data import LanceDataset
    from tusk.torch.kmeans import KMeans

    rng = np.random.default_rng(0)
    middles = 100 * np.eye(5, 6, dtype=np.float32)
    labels = rng.integers(0, 5, 1000)
    vectors = middles[labels] + rng.normal(0, 0.1, (1000, 6)).astype(np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 6)
    data = pa.table({"v": lists, "n": labels})
    table = tusk.write_dataset(data, tmp_path / "t", max_rows_per_file=300)
    means = np.stack([vectors[labels == one].mean(axis=0) for one in range(5)])
    chunks = pa.chunked_array([lists[:400], lists[400:]])
    for data in (vectors, torch.from_numpy(vectors), lists, chunks):
        # Some first choices end in a poor place; a good one is found soon.
        best = min(
            (KMeans(5, seed=seed, device="cpu") for seed in range(8)),
            key=lambda kmeans: (kmeans.fit(data), kmeans.total_distance)[1],
        )
        order = best.transform(torch.from_numpy(means))
        assert sorted(order.tolist()) == list(range(5))
        np.testing.assert_allclose(best.centroids[order].numpy(), means, atol=1e-3)
        assert best.transform(data).tolist() == order[torch.from_numpy(labels)].tolist()
    # Batches of a table, with another column and without.
    first = torch.from_numpy(middles.copy())
    for columns, column in ((["v"], None), (["v", "n"], "v")):
        kmeans = KMeans(5, centroids=first, device="cpu")
        kmeans.fit(LanceDataset(table, 64, columns=columns), column=column)
        np.testing.assert_allclose(kmeans.centroids.numpy(), means, atol=1e-3)
    assert first.numpy().tolist() == middles.tolist()


def test_seeds_choose_and_empty_clusters_divide_others(torch):
    from tusk.torch.kmeans import KMeans

    data = random_rows(torch, 500, 4, 3)
    runs = [KMeans(7, seed=seed, device="cpu", max_iters=3) for seed in (1, 1, 2)]
    for kmeans in runs:
        kmeans.fit(data)
    assert torch.equal(runs[0].centroids, runs[1].centroids)
    assert not torch.equal(runs[0].centroids, runs[2].centroids)
    # Three of the first centroids are nearest to nothing.
    first = torch.cat([data.mean(dim=0, keepdim=True), torch.full((3, 4), 1e6)])
    kmeans = KMeans(4, centroids=first, seed=0, device="cpu")
    kmeans.fit(data)
    assert torch.bincount(kmeans.transform(data), minlength=4).min() > 0


def test_vectors_with_nan_and_nulls_are_left_out(torch):
    from tusk.torch.kmeans import KMeans

    rows = [[1.0, 0.0], None, [0.0, 1.0], [float("nan"), 0.0]]
    data = pa.array(rows, pa.list_(pa.float32(), 2))
    kmeans = KMeans(2, seed=0, device="cpu")
    kmeans.fit(data)
    assert sorted(kmeans.centroids.tolist()) == [[0.0, 1.0], [1.0, 0.0]]
    assert [one >= 0 for one in kmeans.transform(data).tolist()] == [True, False, True, False]
    with pytest.raises(ValueError, match="2 vectors for 3 centroids"):
        KMeans(3, device="cpu").fit(data)


def test_vectors_of_whole_numbers_and_of_halves_have_centroids(torch):
    from tusk.torch.kmeans import KMeans

    # The squares of 1,000 are beyond float16.
    rows = torch.tensor([[1000, 0], [1001, 0], [0, 1000], [0, 1001]])
    expected = [[0.0, 1000.5], [1000.5, 0.0]]
    for data in (rows, rows.half(), rows.numpy(), rows.double()):
        kmeans = KMeans(2, centroids=rows[[0, 2]], device="cpu")
        kmeans.fit(data)
        assert sorted(kmeans.centroids.tolist()) == expected
        assert kmeans.transform(data).tolist() == [0, 0, 1, 1]
    kmeans = KMeans(2, centroids=rows[[0, 2]].half(), device="cpu")
    kmeans.fit([rows.half()])
    assert kmeans.centroids.dtype == torch.float16
    assert sorted(kmeans.centroids.tolist()) == expected


def test_kmeans_refuses_what_it_cannot_do(torch):
    from tusk.torch.kmeans import KMeans

    with pytest.raises(ValueError, match="none of l2, cosine, dot"):
        KMeans(2, metric="hamming")
    with pytest.raises(ValueError, match="not 'random'"):
        KMeans(2, init="kmeans++")
    with pytest.raises(ValueError, match="call fit"):
        KMeans(2, device="cpu").transform(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="give the first centroids"):
        KMeans(2, device="cpu").fit([torch.zeros(3, 2)])
    with pytest.raises(ValueError, match=r"vectors are \[n, d\]"):
        KMeans(1, device="cpu").fit(pa.array(["a"]))


@pytest.mark.parametrize("metric", ["L2", "cosine"])
def test_true_neighbours_are_those_of_pylance_and_of_numpy(torch, tmp_path, metric):
    import lance
    import lance.torch.bench_utils as theirs

    import tusk.torch.bench_utils as ours

    vectors = random_rows(torch, 700, 12, 5).numpy()
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 12)
    table = tusk.write_dataset(pa.table({"v": lists}), tmp_path / "t", max_rows_per_file=250)
    queries = random_rows(torch, 9, 12, 6)
    found = ours.ground_truth(table, "v", queries, metric, k=20, batch_size=100, device="cpu")
    same = lance.dataset(table.uri)
    expected = theirs.ground_truth(
        same, "v", queries.numpy(), metric, k=20, batch_size=100, device="cpu"
    )
    assert found.tolist() == expected.tolist()
    scale = vectors if metric == "L2" else vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ask = queries.numpy()
    ask = ask if metric == "L2" else ask / np.linalg.norm(ask, axis=1, keepdims=True)
    order = np.argsort(((ask[:, None] - scale) ** 2).sum(axis=2), axis=1)[:, :20]
    ids = table.to_table(columns=["v"], with_row_id=True)["_rowid"].to_numpy()
    assert found.tolist() == ids[order].tolist()
    assert ours.recall(found.numpy(), found.numpy()[:, ::-1]).tolist() == [1.0] * 9
    assert ours.infer_vector_column(table) == theirs.infer_vector_column(same) == "v"


def test_true_neighbours_of_few_rows_with_nulls(torch, tmp_path):
    from tusk.torch.bench_utils import ground_truth, infer_vector_column, recall

    column = pa.array([None, [1.0, 1.0], None, [0.0, 0.0]], pa.list_(pa.float32(), 2))
    table = tusk.write_dataset(pa.table({"v": column}), tmp_path / "t")
    query = np.zeros((1, 2), np.float32)
    assert ground_truth(table, "v", query, k=5, device="cpu").tolist() == [[3, 1]]
    with pytest.raises(ValueError, match="neither 'L2' nor 'cosine'"):
        ground_truth(table, "v", query, "dot")
    assert infer_vector_column(tusk.write_dataset(pa.table({"a": [1]}), tmp_path / "a")) is None
    assert recall(np.array([[1, 2], [3, 4]]), np.array([[2, 9], [8, 9]])).tolist() == [0.5, 0.0]
    with pytest.raises(ValueError, match="differ in shape"):
        recall(np.zeros((1, 2)), np.zeros((2, 2)))
