"""What ``nnkit train`` prints, writes and learns."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nnkit
from nnkit import data
from nnkit.cli.output import scores_text
from nnkit.measure import check_layout
from nnkit.training.result import Scores
from nnkit_numpy.device import NumpyBackend
from tests.cli.conftest import Cli

QUICK = ("--data", "moons", "--epochs", 2, "--hidden", 8)


def test_files_may_be_in_the_home_folder(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    assert cli("train", "--data", "moons", "--epochs", 0, "--save=~/net.h5", "--record=~/run.json").status == 0
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"net.h5", "run.json"}


def test_it_says_what_it_will_do_what_came_of_it_and_what_to_try(cli: Cli) -> None:
    status, out, err = cli("train", *QUICK, "--activation", "tanh", "--dropout", 0.1)
    assert status == 0
    assert "moons: 800 rows for training (10 % of them for validation), 200 for testing, 2 classes" in out
    assert "2 inputs → 8 tanh → dropout 0.1 → 2 softmax, 42 parameters, float32" in out
    assert "2 epochs, batches of 32, adam at 0.003 falling to 0, seed 0" in out
    for label in ("data", "network", "training", "device", "train", "validation", "test", "time", "speed", "computer"):
        assert f"\n{label} " in "\n" + out
    assert "\ntest accuracy " in out
    assert out.partition("what to try next:\n")[2].count("\n  nnkit ") + 1 == 3
    assert err.startswith("epoch 1/2  loss ")


def test_the_record_has_the_data_and_the_test(cli: Cli) -> None:
    out = cli("train", *QUICK, "--record", "run.json").out
    record = json.loads(Path("run.json").read_text(encoding="utf-8"))
    moons = data.load("moons")
    assert check_layout(record) == []
    expected = {"name": "moons", "sha256": moons.sha256, "train": 720, "validation": 80, "test": 200}
    assert expected | {"classes": ["0", "1"]} == {name: record["data"][name] for name in (*expected, "classes")}
    assert f"({round(200 * record['result']['test']['accuracy'])}/200)" in out
    assert record["result"]["train"]["accuracy"] > 0.5
    assert record["training"]["optimizer"]["name"] == "adam"


def test_quiet_prints_the_result_only(cli: Cli) -> None:
    status, out, err = cli("train", *QUICK, "--quiet")
    assert (status, err) == (0, "")
    assert out.startswith("accuracy ")
    assert out.count("\n") == 1


def test_two_trainings_with_one_seed_are_equal(cli: Cli) -> None:
    first, second = (cli("train", *QUICK, "--seed", 7, "--quiet").out for _ in range(2))
    assert first == second != cli("train", *QUICK, "--seed", 8, "--quiet").out


def test_numbers_get_an_identity_output_and_their_own_figures(cli: Cli) -> None:
    out = cli("train", "--data", "sine", "--epochs", 2).out
    assert "1 input → 64 relu → 32 relu → 1 identity" in out
    assert "\ntest r2 " in out


def test_no_hidden_layer(cli: Cli) -> None:
    assert "2 inputs → 2 softmax, 6 parameters" in cli("train", "--data", "moons", "--hidden", "--epochs", 1).out


def test_one_sigmoid_output_answers_yes_or_no(cli: Cli) -> None:
    out = cli("train", "--data", "moons", "--epochs", 40, "--output-activation", "sigmoid").out
    assert "→ 1 sigmoid" in out
    assert "test accuracy 100.00 % (200/200)" in out


@pytest.mark.parametrize(
    ("data_set", "loss", "layer"),
    [
        ("moons", "hinge", "1 identity"),
        ("moons", "squared_hinge", "1 identity"),
        ("moons", "bce", "1 sigmoid"),
        ("moons", "categorical_hinge", "2 identity"),
        ("spiral", "focal", "3 softmax"),
        ("sine", "gaussian_nll", "2 identity"),
    ],
)
def test_the_loss_says_what_the_last_layer_is(cli: Cli, data_set: str, loss: str, layer: str) -> None:
    words = ("--data", data_set, "--loss", loss, "--epochs", 6, "--learning-rate", 0.01, "--save", "net.h5")
    status, out, _ = cli("train", *words)
    assert status == 0
    assert f"→ 32 relu → {layer}, " in out
    rows = data.load(data_set)
    scores = nnkit.load("net.h5").test(rows.x_test, rows.y_test)
    assert (scores.r2 if rows.classes is None else scores.accuracy) > 0.6
    figures = scores_text(scores)
    assert f"\ntest {figures}\n" in out
    assert f"\n{figures}\n" in cli("test", "net.h5", "--data", data_set).out


def test_images_in_a_file_are_flattened(cli: Cli, tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((40, 4, 4), dtype=np.float32)
    np.savez(tmp_path / "images.npz", x=x, y=(x.mean(axis=(1, 2)) > 0.5).astype(np.int64))
    out = cli("train", "--data", "images.npz", "--hidden", 4, "--epochs", 1).out
    assert "4×4 inputs → flatten → 4 relu → 2 softmax" in out


def test_a_csv_file_is_scaled_and_its_scaling_kept_with_the_network(cli: Cli, iris: Path) -> None:
    words = ("--target", "species", "--hidden", 8, "--learning-rate", 0.02, "--save", "iris.h5")
    out = cli("train", "--data", iris, *words).out
    network, flowers = nnkit.load("iris.h5"), data.load(iris, standardize=False)
    assert network.classes == ("setosa", "versicolor", "virginica")
    kept = network.preprocessing
    assert kept is not None
    assert kept.scaling is not None
    assert (kept.features, kept.target, kept.time_ordered) == (("sepal", "petal"), "species", False)
    train, _ = data.split_indices(len(flowers.x_train), 0.1, 0, flowers.y_train)
    np.testing.assert_allclose(kept.scaling.mean, flowers.x_train[train].mean(axis=0), rtol=1e-12)
    assert "written     network iris.h5" in out
    assert network.test(flowers.x_test, flowers.y_test).accuracy > 0.9


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_targets_in_large_units_are_learned(cli: Cli, optimizer: str) -> None:
    draw = np.random.default_rng(0)
    area, rooms = draw.uniform(30, 250, 400), draw.integers(1, 7, 400)
    price = 50_000 + 3_000 * area + 20_000 * rooms
    lines = [f"{a},{r},{p}" for a, r, p in zip(area, rooms, price, strict=True)]
    Path("houses.csv").write_text("\n".join(["area,rooms,price", *lines]))
    words = ("--target", "price", "--hidden", 16, "--optimizer", optimizer, "--learning-rate", 0.01, "--save", "net.h5")
    out = cli("train", "--data", "houses.csv", *words).out
    assert "2 inputs → 16 relu → 1 identity → rescaling" in out
    assert "unscaled targets" not in out
    network, houses = nnkit.load("net.h5"), data.load("houses.csv", standardize=False)
    assert network.test(houses.x_test, houses.y_test).r2 > 0.95
    units = network.module.outermost()
    assert (units.scale, units.offset) == (houses.y_train.std(dtype=float), houses.y_train.mean(dtype=float))
    assert cli("predict", "net.h5", "--data", "houses.csv", "--output", "prices.csv").status == 0
    predicted = np.loadtxt("prices.csv", skiprows=1)
    assert np.abs(predicted - price).mean() < 30_000


@pytest.mark.parametrize(("flags", "found"), [((), False), (("--standardize",), True), (("--loss", "msle"), False)])
def test_other_targets_keep_their_units_unless_asked(cli: Cli, flags: tuple[str, ...], found: bool) -> None:
    out = cli("train", "--data", "sine", "--hidden", 4, "--epochs", 1, *flags).out
    assert ("→ rescaling" in out) is found


def test_a_loss_that_is_no_function_of_the_error_reads_the_targets_as_they_are(cli: Cli) -> None:
    rows = np.random.default_rng(0).integers(1, 100, (40, 2))
    Path("counts.csv").write_text("\n".join(["a,n", *(f"{a},{n}" for a, n in rows)]))
    out = cli("train", "--data", "counts.csv", "--target", "n", "--hidden", 4, "--epochs", 1, "--loss", "msle").out
    assert "rescaling" not in out


def test_one_row_explains_no_variance() -> None:
    assert scores_text(Scores(loss=0.25, rows=1, r2=math.nan, mae=0.5)) == "r2 –, mae 0.5, loss 0.25"


def test_patience_ends_training_early(cli: Cli) -> None:
    status, out, err = cli(
        "train", "--data", "moons", "--hidden", 4, "--epochs", 500, "--learning-rate", 0.1, "--patience", 1
    )
    assert status == 0
    assert "stopped     early stopping: val_loss has not improved for 1 epoch; " in out.replace("\n            ", " ")
    assert "epoch 500/500" not in err


def test_training_that_diverges_is_a_failure_with_a_way_out(cli: Cli) -> None:
    status, out, err = cli("train", *QUICK, "--optimizer", "sgd", "--learning-rate", 1e30)
    assert status == 1
    assert "warning: the loss or a gradient became NaN or infinite" in err
    assert "nnkit train --data moons --epochs 2 --hidden 8 --optimizer sgd --learning-rate 1e+29" in out


def test_a_method_that_works_on_all_rows_has_its_own_rate_and_no_schedule(cli: Cli) -> None:
    out = cli("train", "--data", "moons", "--epochs", 30, "--hidden", 8, "--optimizer", "lbfgs").out
    assert "30 epochs, all rows at once, lbfgs at 1, seed 0" in out
    assert "test accuracy 100.00 %" in out
    given = cli("train", *QUICK, "--optimizer", "L-BFGS", "--learning-rate", 0.5).out
    assert "2 epochs, all rows at once, L-BFGS at 0.5, seed 0" in given


def test_metrics_are_shown_recorded_and_tested(cli: Cli) -> None:
    words = ("--data", "spiral", "--epochs", 2, "--hidden", 8)
    status, out, err = cli(
        "train", *words, "--metrics", "log-loss", "AUC", "f1", "--record", "r.json", "--save", "n.h5"
    )
    assert status == 0
    assert {" log_loss ", " val_log_loss ", " val_auc ", " val_f1 "} <= set(re.findall(r" [a-z_\d]+ ", err))
    record = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert len(record["history"]["log_loss"]) == len(record["history"]["val_auc"]) == 2
    found = record["result"]["test"]
    said = f"loss {found['loss']:.4g}, log_loss {found['log_loss']:.4g}, auc {found['auc']:.4g}, f1 {found['f1']:.4g}"
    assert f"), {said}\n" in out
    assert "nnkit test n.h5 --data spiral --metrics log-loss AUC f1" in out
    assert f"), {said}\n" in cli("test", "n.h5", "--data", "spiral", "--metrics", "log_loss", "auc", "f1").out


def test_no_epoch_scores_the_untrained_network(cli: Cli) -> None:
    status, out, _ = cli("train", "--data", "moons", "--epochs", 0, "--quiet")
    assert status == 0
    assert out.startswith("accuracy ")


def test_the_device_auto_is_cpu_where_there_is_no_other(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.backend._select", _only_cpu)
    assert "\ndevice      cpu\n" in cli("train", *QUICK, "--device", "auto").out


def test_the_device_auto_is_cuda_where_it_can_be_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    from nnkit.cli.architecture import device

    monkeypatch.setattr("nnkit.backend._select", lambda name: SimpleNamespace(name=name))
    assert device("auto") == "cuda"
    assert device("GPU:1") == "cuda:1"


def test_a_warning_about_the_data_is_one_line(cli: Cli, tmp_path: Path) -> None:
    x = np.arange(80.0).reshape(40, 2) * 1000
    np.savez(tmp_path / "large.npz", x=x, y=np.arange(40.0))
    err = cli("train", "--data", "large.npz", "--epochs", 1, "--quiet").err
    assert err.startswith("warning: column ")
    assert err.count("\n") == 1


def _only_cpu(name: str) -> object:
    if name == "cuda":
        raise nnkit.errors.DeviceError("no GPU")
    return NumpyBackend()


def test_data_are_never_overwritten(cli: Cli) -> None:
    text = "a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(40))
    Path("rows.csv").write_text(text)
    for flag in ("--save", "--record"):
        status, _, err = cli("train", "--data", "rows.csv", "--epochs", 1, flag, "rows.csv")
        assert status == 2
        assert f"{flag} rows.csv would overwrite a file that this command reads; choose another name" in err
    assert Path("rows.csv").read_text() == text


def test_predictions_overwrite_neither_the_network_nor_the_rows(cli: Cli) -> None:
    text = "a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(40))
    Path("rows.csv").write_text(text)
    assert cli("train", "--data", "rows.csv", "--epochs", 1, "--save", "net.h5", "--quiet").status == 0
    network = Path("net.h5").read_bytes()
    for output in ("rows.csv", "net.h5"):
        status, _, err = cli("predict", "net.h5", "--data", "rows.csv", "--output", output)
        assert status == 2
        assert f"--output {output} would overwrite a file that this command reads" in err
    assert Path("net.h5").read_bytes() == network
    assert Path("rows.csv").read_text() == text


def test_a_memory_limit_is_kept_and_recorded(cli: Cli) -> None:
    wide = ("--data", "moons", "--epochs", 1, "--hidden", 32, 32, 32, "--batch-size", 512)
    cli("train", *wide, "--record", "free.json")
    cli("train", *wide, "--record", "limited.json", "--memory-limit", "300 kB")
    free, limited = (json.loads(Path(name).read_text(encoding="utf-8")) for name in ("free.json", "limited.json"))
    peaks = [record["resources"]["plan"]["predicted_peak_bytes"] for record in (free, limited)]
    assert peaks[1] <= limited["training"]["memory_limit"] == 300_000 < peaks[0]
    assert free["training"]["memory_limit"] is None
    assert free["history"] == limited["history"]


def test_rows_in_the_order_of_time(cli: Cli, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(50, 9, (100, 2))
    np.savez(tmp_path / "series.npz", x=x, y=x.sum(axis=1))
    words = ("--data", "series.npz", "--epochs", 2, "--time-ordered", "--standardize", "--save", "s.h5")
    assert cli("train", *words, "--record", "s.json").status == 0
    assert json.loads(Path("s.json").read_text())["data"]["validation_indices"] == list(range(72, 80))
    network = nnkit.load("s.h5")
    assert network.preprocessing is not None
    np.testing.assert_allclose(network.preprocessing.scaling.mean, np.float32(x[:72]).mean(axis=0), rtol=1e-6)
    expected = network.test(x[80:], x[80:].sum(axis=1)).loss
    assert f"{expected:.4g}"[:5] in cli("test", "s.h5", "--data", "series.npz").out


@pytest.mark.parametrize("precision", ["float32", "tf32", "mixed_bfloat16", "mixed_float16"])
def test_a_precision_is_recorded(cli: Cli, precision: str) -> None:
    words = ("--data", "moons", "--epochs", 1, "--hidden", 8, "--precision", precision, "--record", "run.json")
    assert cli("train", *words).status == 0
    trained = json.loads(Path("run.json").read_text())["training"]
    assert (trained["precision"], trained["products"]) == (precision, "float32")
    assert (trained["loss_scale"] is not None) == (precision == "mixed_float16")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--precision half", "argument --precision: invalid choice: 'half'"),
        ("--precision mixed_float16 --optimizer lbfgs", "precision='mixed_float16' scales the loss from step to step"),
    ],
)
def test_a_precision_that_is_refused(cli: Cli, words: str, message: str) -> None:
    status, _, err = cli("train", "--data", "moons", "--epochs", 1, *words.split())
    assert status == 2
    assert f"error: {message}" in err
