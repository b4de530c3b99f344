"""Where the files come from, and that none is taken for whole that is not."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor

from fcnlab import fashion_mnist
from fcnlab.fashion_mnist import load, locate, read_idx

LABELS = "t10k-labels-idx1-ubyte"
SIZES = {"train": 20, "t10k": 10}


def idx(array: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Return the array as an IDX file: type code 8 is uint8."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def tiny() -> dict[str, bytes]:
    """Return four files with a few images each."""
    rng = np.random.default_rng(0)
    images = {
        f"{part}-images-idx3-ubyte": idx(rng.integers(0, 256, (n, 28, 28), np.uint8))
        for part, n in SIZES.items()
    }
    labels = {
        f"{part}-labels-idx1-ubyte": idx(np.arange(n, dtype=np.uint8) % 10) for part, n in SIZES.items()
    }
    return images | labels


def write(folder: Path, suffix: str = "") -> Path:
    """Write the four files, compressed if the suffix is .gz."""
    folder.mkdir(parents=True)
    for name, content in tiny().items():
        (folder / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)
    return folder


def raw(root: Path) -> Path:
    return root / "FashionMNIST" / "raw"


@pytest.fixture(autouse=True)
def _tiny_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Make the tiny files the known ones, hide the system's copy, and forget what was read."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in tiny().items()}
    monkeypatch.setattr(fashion_mnist, "DIGESTS", digests)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    load.cache_clear()
    yield
    load.cache_clear()


class NoDownload:
    """Torchvision's class where there is no network; it may have got some of the files."""

    def __init__(self, root: str, *, download: bool) -> None:
        write(raw(Path(root)))
        (raw(Path(root)) / LABELS).unlink()
        raise RuntimeError("Error downloading t10k-labels-idx1-ubyte.gz")


class Download:
    """Torchvision's class where all goes well: leaves the files compressed and uncompressed."""

    def __init__(self, root: str, *, download: bool) -> None:
        folder = write(raw(Path(root)))
        for name, content in tiny().items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["raw", "gz"])
def test_both_kinds_of_files_are_read_alike(tmp_path: Path, suffix: str) -> None:
    write(raw(tmp_path), suffix)
    source = load(tmp_path)
    assert source.train.features.shape == (20, 1, 28, 28)
    assert source.test.features.shape == (10, 1, 28, 28)
    assert source.train.targets.tolist() == [*range(10), *range(10)]
    assert source.test.targets.tolist() == list(range(10))
    assert source.test.targets.dtype == torch.int64
    stored = np.frombuffer(tiny()["train-images-idx3-ubyte"][16:], np.uint8).astype(np.float64)
    expected = (stored - stored.mean()) / stored.std(ddof=1)
    torch.testing.assert_close(source.train.features.flatten(), torch.from_numpy(expected).float())


def test_files_may_be_compressed_anew(tmp_path: Path) -> None:
    folder = write(raw(tmp_path), ".gz")
    before: Tensor = read_idx(folder, LABELS)
    (folder / f"{LABELS}.gz").write_bytes(gzip.compress(tiny()[LABELS], compresslevel=1, mtime=1))
    assert torch.equal(read_idx(folder, LABELS), before)


def refusal(folder: Path, file: str, content: bytes) -> str:
    """Put this content into a file, and return the message with which it is refused."""
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match="make data") as refused:
        read_idx(folder, LABELS)
    return str(refused.value)


@pytest.mark.parametrize("length", [0, 3, 7, 17], ids="{} bytes left".format)
def test_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    folder = write(tmp_path / "files")
    assert str(folder / LABELS) in refusal(folder, LABELS, tiny()[LABELS][:length])


@pytest.mark.parametrize("position", range(18))
def test_altered_file_is_refused(tmp_path: Path, position: int) -> None:
    folder = write(tmp_path / "files")
    content = bytearray(tiny()[LABELS])
    content[position] ^= 1
    assert str(folder / LABELS) in refusal(folder, LABELS, bytes(content))


def test_longer_file_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "files")
    assert "19 uncompressed bytes" in refusal(folder, LABELS, tiny()[LABELS] + b"\0")


def test_gz_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "files", ".gz")
    whole = gzip.compress(tiny()[LABELS])
    for length in range(len(whole)):
        assert str(folder / f"{LABELS}.gz") in refusal(folder, f"{LABELS}.gz", whole[:length])


def test_gz_with_an_altered_bit_is_refused_or_still_says_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "files", ".gz")
    whole = gzip.compress(tiny()[LABELS])
    refused = 0
    for bit in range(8 * len(whole)):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        (folder / f"{LABELS}.gz").write_bytes(content)
        try:
            assert read_idx(folder, LABELS).tolist() == list(range(10))
        except ValueError as error:
            assert f"{LABELS}.gz is truncated or altered" in str(error)  # noqa: PT017 - either is right
            refused += 1
    assert refused > 8 * 18  # at the very least wherever the content is


def test_altered_file_is_not_loaded(tmp_path: Path) -> None:
    folder = write(raw(tmp_path))
    content = bytearray((folder / "train-images-idx3-ubyte").read_bytes())
    content[-1] ^= 1
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is truncated or altered"):
        load(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{LABELS} is missing. Type: make data"):
        read_idx(tmp_path, LABELS)


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["raw", "gz"])
def test_own_folder_comes_before_the_system_copy(tmp_path: Path, suffix: str) -> None:
    write(fashion_mnist.DEBIAN, ".gz")
    assert locate(tmp_path) == fashion_mnist.DEBIAN
    folder = write(raw(tmp_path), suffix)
    assert locate(tmp_path) == folder


def test_folder_that_lacks_a_file_is_passed_over(tmp_path: Path) -> None:
    (write(raw(tmp_path)) / LABELS).unlink()
    write(fashion_mnist.DEBIAN, ".gz")
    assert locate(tmp_path) == fashion_mnist.DEBIAN


def test_unfinished_download_is_not_taken_for_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(raw(raw(tmp_path) / ".download-xyz"))
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", NoDownload)
    with pytest.raises(FileNotFoundError):
        locate(tmp_path)


def test_failed_download_says_what_to_type_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", NoDownload)
    with pytest.raises(FileNotFoundError) as failed:
        locate(tmp_path)
    for words in ("make data", "apt-get install dataset-fashion-mnist", "data.root=", "Error downloading"):
        assert words in str(failed.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(FileNotFoundError):
        locate(tmp_path)


def test_download_ends_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", Download)
    assert locate(tmp_path) == raw(tmp_path)
    assert {path.name for path in raw(tmp_path).iterdir()} == {*tiny()}
    assert {name: (raw(tmp_path) / name).read_bytes() for name in tiny()} == tiny()


def test_download_happens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", Download)
    locate(tmp_path)
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", NoDownload)
    assert locate(tmp_path) == raw(tmp_path)
