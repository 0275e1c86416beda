"""Where MNIST is found, what it holds, and what is refused."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnkit.data import load, mnist
from nnkit.data.digest import Digest
from nnkit.data.mnist import PARTS, SOURCES, Source, cache_dir
from nnkit.errors import FileError
from tests import mnist_files

Writer = Callable[..., Path]


@pytest.fixture
def real_folder() -> Path:
    """The folder with the real files."""
    if not mnist_files.FOUND:
        pytest.skip("no MNIST files: name their folder in NNKIT_DATA_DIR")
    return mnist_files.FOLDER


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files of this machine, and no network."""
    monkeypatch.delenv("NNKIT_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, source in SOURCES.items():
        monkeypatch.setitem(SOURCES, name, Source(("http://127.0.0.1:9/",), source.digests, source.classes))


@pytest.mark.parametrize("packed", [True, False])
def test_files_in_data_dir(
    tmp_path: Path, packed: bool, write_parts: Writer, part_bytes: Callable[..., dict[str, bytes]]
) -> None:
    data = load("mnist", data_dir=write_parts(tmp_path / "here", packed=packed))
    assert data.x_train.shape == (30, 16)
    assert data.x_test.shape == (10, 16)
    assert data.x_train.dtype == np.float32
    assert 0 <= data.x_train.min() < data.x_train.max() <= 1
    expected = np.frombuffer(part_bytes()[PARTS[2]], np.uint8, offset=16).reshape(10, 16) / 255
    np.testing.assert_allclose(data.x_test, expected, rtol=1e-6)
    assert data.y_test.tolist() == list(range(10))
    assert data.y_test.dtype == np.int32
    assert data.classes == tuple("0123456789")
    assert data.name == "mnist"


def test_the_order_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_parts: Writer) -> None:
    cached = load("mnist", data_dir=write_parts(tmp_path / "cache/nnkit/mnist", seed=1)).sha256
    assert load("mnist").sha256 == cached
    monkeypatch.setenv("NNKIT_DATA_DIR", str(write_parts(tmp_path / "variable", seed=2)))
    variable = load("mnist").sha256
    assert variable != cached
    assert load("mnist", data_dir=write_parts(tmp_path / "given", seed=3)).sha256 not in {variable, cached}
    assert load("mnist", data_dir=tmp_path / "absent").sha256 == variable


def test_a_folder_of_the_sets_name_goes_first(tmp_path: Path, write_parts: Writer) -> None:
    write_parts(tmp_path / "data", seed=1)
    write_parts(tmp_path / "data" / "fashion_mnist", seed=2)
    fashion = load("fashion_mnist", data_dir=tmp_path / "data")
    assert fashion.sha256 != load("mnist", data_dir=tmp_path / "data").sha256
    assert fashion.classes[:2] == ("T-shirt/top", "Trouser")
    assert len(fashion.classes) == 10


def test_the_dotted_spelling(tmp_path: Path, write_parts: Writer) -> None:
    for path in write_parts(tmp_path / "dots", packed=False).iterdir():
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert load("mnist", data_dir=tmp_path / "dots").x_test.shape == (10, 16)


def test_a_missing_file_is_named(tmp_path: Path, write_parts: Writer) -> None:
    folder = write_parts(tmp_path / "here")
    (folder / f"{PARTS[3]}.gz").unlink()
    with pytest.raises(FileError, match=r"here has no file t10k-labels-idx1-ubyte or t10k-labels.*\.gz; all four are"):
        load("mnist", data_dir=folder)


def test_files_of_the_other_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_parts: Writer) -> None:
    labels = Digest.of(Digest(""), write_parts(tmp_path / "here") / f"{PARTS[3]}.gz")
    digests = (*SOURCES["mnist"].digests[:3], Digest(labels))
    monkeypatch.setitem(SOURCES, "mnist", Source(SOURCES["mnist"].mirrors, digests, SOURCES["mnist"].classes))
    with pytest.raises(
        FileError, match=r"the files in .*here are those of mnist, not of fashion_mnist; give each a folder"
    ):
        load("fashion_mnist", data_dir=tmp_path / "here")
    monkeypatch.setenv("NNKIT_DATA_DIR", str(tmp_path / "here"))
    with pytest.raises(FileError, match=r"train-images-idx3-ubyte.gz could not be downloaded"):
        load("fashion_mnist")
    assert load("mnist").x_test.shape == (10, 16)


def test_without_files_or_connection_the_message_says_where_to_put_them() -> None:
    with pytest.raises(
        FileError, match=r"(?s)127.0.0.1:9/train-images.*no connection.*nnkit.mnist by hand.*NNKIT_DATA_DIR"
    ):
        load("mnist")


def test_a_folder_without_the_files_is_named_before_the_download(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=rf"^data_dir='{tmp_path}' has none of {PARTS[0]}, .*, and train-images.* could"
    ):
        load("mnist", data_dir=tmp_path)
    with pytest.raises(
        FileError, match=r"^data_dir='nowhere' is no folder, and train-images.*gz could not be downloaded"
    ):
        load("mnist", data_dir="nowhere")


REPLACED = {
    "rows": (PARTS[1], np.zeros(29), r"has 30 images, .* has 29 labels; keep the files of one set together"),
    "labels": (PARTS[3], np.arange(10) + 1, r"t10k-labels-idx1-ubyte.gz has the label 10, expected 0 to 9"),
    "pixels": (
        PARTS[2],
        np.zeros((10, 5, 5)),
        r"have 16 pixels, those in .* 25; keep the files of one data set in one",
    ),
    "swapped": (PARTS[0], np.zeros(30), r"train-images-idx3-ubyte.gz is not an IDX file .* with 3 dimensions"),
}


@pytest.mark.parametrize(("part", "array", "message"), REPLACED.values(), ids=REPLACED)
def test_files_that_do_not_belong_together(
    tmp_path: Path,
    part: str,
    array: np.ndarray,
    message: str,
    write_parts: Writer,
    idx_bytes: Callable[[np.ndarray], bytes],
) -> None:
    folder = write_parts(tmp_path / "here")
    (folder / f"{part}.gz").write_bytes(gzip.compress(idx_bytes(array)))
    with pytest.raises(FileError, match=message):
        load("mnist", data_dir=folder)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/nnkit"),
        ("linux", {}, "~/.cache/nnkit"),
        ("darwin", {}, "~/Library/Caches/nnkit"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/nnkit/cache"),
    ],
)
def test_the_cache_of_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(mnist.sys, "platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_dir() == Path(expected).expanduser()


def test_the_real_files(real_folder: Path) -> None:
    data = load("mnist", data_dir=real_folder)
    assert (data.x_train.shape, data.x_test.shape) == ((60_000, 784), (10_000, 784))
    assert data.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(data.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.x_train.mean() == pytest.approx(0.1307, abs=1e-4)


def test_the_real_files_have_the_published_hashes(real_folder: Path) -> None:
    for part, digest in zip(PARTS, SOURCES["mnist"].digests, strict=True):
        (path,) = real_folder.glob(f"{part}*")
        assert digest.of(path) == digest.value


def test_the_real_files_are_not_fashion(real_folder: Path) -> None:
    with pytest.raises(FileError, match="are those of mnist, not of fashion_mnist"):
        load("fashion_mnist", data_dir=real_folder)


def test_the_four_files_are_downloaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: Callable[..., dict[str, bytes]], write_parts: Writer
) -> None:
    folder = write_parts(tmp_path / "mirror")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        digests = tuple(Digest(hashlib.sha256(content).hexdigest()) for content in part_bytes().values())
        mirrors = ("http://127.0.0.1:9/", f"http://127.0.0.1:{server.server_address[1]}/")
        monkeypatch.setitem(SOURCES, "mnist", Source(mirrors, digests, SOURCES["mnist"].classes))
        downloaded = load("mnist")
        server.shutdown()
        thread.join()
    assert downloaded.sha256 == load("mnist", data_dir=folder).sha256
    assert load("mnist").sha256 == downloaded.sha256
    assert sorted(path.name for path in (cache_dir() / "mnist").iterdir()) == sorted(f"{part}.gz" for part in PARTS)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""
