"""MNIST and Fashion-MNIST: where the files are found, or downloaded from, and what is in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.dataset import Dataset
from nnkit.data.digest import Digest
from nnkit.data.idx import read_idx
from nnkit.errors import FileError

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

Files = Mapping[str, Path]


@dataclass(frozen=True)
class Source:
    """Where a data set is published, the hashes of its files in the order of ``PARTS``, and its classes' names."""

    mirrors: tuple[str, ...]
    digests: tuple[Digest, ...]
    classes: tuple[str, ...]


SOURCES = {
    "mnist": Source(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        digests=(
            Digest("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            Digest("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            Digest("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            Digest("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ),
        classes=tuple("0123456789"),
    ),
    "fashion_mnist": Source(
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        digests=(
            Digest("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "md5", of_content=False),
            Digest("25c81989df183df01b3e8a0aad5dffbe", "md5", of_content=False),
            Digest("bef4ecab320f06d8554ea6380940ec79", "md5", of_content=False),
            Digest("bb300cfdad3c16e7a12a480ee83cd310", "md5", of_content=False),
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
}


def mnist(name: str, data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Return ``"mnist"`` or ``"fashion_mnist"`` with its own test set: pixels 0 to 1, float32 (rows, 784); labels 0–9.

    The files are looked for in ``data_dir``, then in ``NNKIT_DATA_DIR``, then in the user's cache (each time first in a
    folder of the set's name there), and downloaded to the cache when they are in none of them.

    Raises:
        FileError: a damaged file; files that do not belong together; no connection.
    """
    files = _find(name, data_dir) or _download(name, data_dir)
    classes = SOURCES[name].classes
    parts = [_read(files[PARTS[i]], files[PARTS[i + 1]], len(classes)) for i in (0, 2)]
    (x_train, y_train), (x_test, y_test) = parts
    if x_train.shape[1] != x_test.shape[1]:
        raise FileError(
            f"the images in {files[PARTS[0]]} have {x_train.shape[1]} pixels, those in {files[PARTS[2]]} "
            f"{x_test.shape[1]}; keep the files of one data set in one folder"
        )
    return Dataset(x_train, y_train, x_test, y_test, name=name, classes=classes)


def at_hand(name: str) -> bool:
    """Whether the files of a set are on this machine, so that nothing is downloaded."""
    return _find(name, None) is not None


def cache_dir() -> Path:
    """The folder for downloaded files: nnkit in the user's cache, as the system has it."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "nnkit"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "nnkit"
    if os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "nnkit" / "cache"
    return Path.home() / ".cache" / "nnkit"


def _find(name: str, data_dir: str | os.PathLike[str] | None) -> Files | None:
    """The four files, from the first folder that has them."""
    for folder, chosen in _folders(name, data_dir):
        files = {part: path for part in PARTS if (path := _existing(folder, part))}
        if not files:
            continue
        missing = [part for part in PARTS if part not in files]
        other = None if missing else _other_set(name, files[PARTS[3]])
        if not missing and not other:
            return files
        if chosen and missing:
            raise FileError(
                f"{folder} has no file {missing[0]} or {missing[0]}.gz; all four are needed: {', '.join(PARTS)}"
            )
        if chosen:
            raise FileError(f"the files in {folder} are those of {other}, not of {name}; give each a folder of its own")
    return None


def _folders(name: str, data_dir: str | os.PathLike[str] | None) -> Iterator[tuple[Path, bool]]:
    """Where to look, and whether the caller chose the place, so that what is wrong there is an error."""
    if data_dir is not None:
        yield Path(data_dir).expanduser() / name, True
        yield Path(data_dir).expanduser(), True
    if os.environ.get("NNKIT_DATA_DIR"):
        yield Path(os.environ["NNKIT_DATA_DIR"]).expanduser() / name, False
        yield Path(os.environ["NNKIT_DATA_DIR"]).expanduser(), False
    yield cache_dir() / name, False


def _existing(folder: Path, part: str) -> Path | None:
    """A part under the names it is published with, packed or not."""
    names = [spelling + end for spelling in (part, part.replace("-idx", ".idx")) for end in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _other_set(name: str, test_labels: Path) -> str | None:
    """The set that the files belong to, where it is known to be another: both are published under the same names."""
    others = (other for other in SOURCES if other != name)
    return next((o for o in others if SOURCES[o].digests[3].of(test_labels) == SOURCES[o].digests[3].value), None)


def _download(name: str, data_dir: str | os.PathLike[str] | None) -> Files:
    from nnkit.data.download import fetch  # the HTTP client takes 20 ms to import, and few need it

    source, folder = SOURCES[name], cache_dir() / name
    files = {}
    for part, digest in zip(PARTS, source.digests, strict=True):
        urls = [f"{mirror}{part}.gz" for mirror in source.mirrors]
        try:
            files[part] = fetch(urls, folder / f"{part}.gz", digest.value, digest.algorithm, digest.of_content)
        except FileError as error:
            if data_dir is None:
                raise
            lack = f"has none of {', '.join(PARTS)}" if Path(data_dir).expanduser().is_dir() else "is no folder"
            raise FileError(f"data_dir={str(data_dir)!r} {lack}, and {error}") from error
    return files


def _read(images: Path, labels: Path, classes: int) -> tuple[Array, Array]:
    x, y = read_idx(images, 3), read_idx(labels, 1)
    if len(x) != len(y):
        raise FileError(
            f"{images} has {len(x)} images, {labels} has {len(y)} labels; keep the files of one set together"
        )
    if y.max() >= classes:
        raise FileError(f"{labels} has the label {y.max()}, expected 0 to {classes - 1}; check which data set it is")
    return x.reshape(len(x), -1) / np.float32(255), y.astype(np.int32)
