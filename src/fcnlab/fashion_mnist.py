"""FashionMNIST: where its files come from, and the proof that they are whole.

Sources, in order: ``data.root`` (torchvision's layout), Debian's package ``dataset-fashion-mnist``,
torchvision's download.
"""

import functools
import gzip
import hashlib
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fcnlab.images import Images, normalize
from overnight.data.batches import Samples
from overnight.data.in_memory import Source

DIGESTS = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of the uncompressed files; the compressed ones differ from source to source."""

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


class FashionMNIST(Images):
    """FashionMNIST (Xiao et al. 2017, arXiv:1708.07747) with its official test set."""

    all_class_names = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )

    def __init__(self, *, root: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.root = Path(root)

    def read(self) -> Source:
        """Read the images, or take them from the run before in this process.

        Raises:
            ValueError: a file is truncated or altered.
            FileNotFoundError: no source has the files.
        """
        return self.chosen(load(self.root.resolve()))


@functools.lru_cache(maxsize=1)
def load(root: Path) -> Source:
    """Find, verify and normalize the images."""
    folder = locate(root)
    parts = (
        Samples(
            read_idx(folder, f"{part}-images-idx3-ubyte")[:, None],
            read_idx(folder, f"{part}-labels-idx1-ubyte").long(),
        )
        for part in ("train", "t10k")
    )
    return normalize(Source(*parts))


def locate(root: Path) -> Path:
    """Return the first folder that has all four files; download them if none has."""
    raw = root / "FashionMNIST" / "raw"
    present = [folder for folder in (raw, DEBIAN) if all(stored(folder, name) for name in DIGESTS)]
    return present[0] if present else download(raw)


def stored(folder: Path, name: str) -> Path | None:
    """Return the file, uncompressed or compressed, if the folder has it."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def download(raw: Path) -> Path:
    """Let torchvision download into a folder beside, and move the files into place when all are there.

    If it cannot, a FileNotFoundError says what else to do.
    """
    from torchvision.datasets import FashionMNIST as Torchvision  # noqa: PLC0415 - 1.6 s, needed once ever

    raw.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=raw, prefix=".download-") as unfinished:
        try:
            Torchvision(unfinished, download=True)
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(
                f"FashionMNIST is neither in {raw} nor in {DEBIAN}, and torchvision could not download it "
                f"({error}). Type: make data, or: apt-get install dataset-fashion-mnist, "
                f"or: data.root=FOLDER of a copy that you have"
            ) from error
        for name in DIGESTS:
            Path(unfinished, "FashionMNIST", "raw", name).replace(raw / name)
    return raw


def read_idx(folder: Path, name: str) -> Tensor:
    """Read an IDX file, images uint8 [n, 28, 28] or labels uint8 [n]; an altered one is a ValueError."""
    path = stored(folder, name)
    if path is None:
        raise FileNotFoundError(f"{folder / name} is missing. Type: make data")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(broken(path, f"it cannot be decompressed ({error})")) from error
    if hashlib.sha256(content).hexdigest() != DIGESTS[name]:
        raise ValueError(
            broken(path, f"the SHA-256 of its {len(content):,} uncompressed bytes is not the known one")
        )
    rank = content[3]  # IDX: two zero bytes, type code, rank, then each size as a big-endian int32
    sizes = np.frombuffer(content, ">i4", count=rank, offset=4)
    pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)
    return torch.from_numpy(pixels.copy())


def broken(path: Path, why: str) -> str:
    """Say what is wrong with a file and how to replace it."""
    return f"{path} is truncated or altered: {why}. Delete it and type: make data"


if __name__ == "__main__":
    try:
        folder = locate(Path(sys.argv[1]))
        load(Path(sys.argv[1]))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"FashionMNIST: 60,000 and 10,000 images, verified, in {folder}\n")
