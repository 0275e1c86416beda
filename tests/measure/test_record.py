import json
import math
import os

import numpy as np
import pytest

from nnkit.backend import Share
from nnkit.errors import ArgumentError, FileError
from nnkit.measure import (
    DeviceProbe,
    HostProbe,
    RunRecord,
    StepTimer,
    check_layout,
    compare,
    load_record,
    table,
)
from nnkit.measure.layout import RECORD


def whole(**changes):
    """A record with every figure in it."""
    parts = {
        "architecture": {"kind": "FeedForward", "layers": [64, 10]},
        "training": {
            "epochs": 2,
            "batch_size": 32,
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "loss": "cross_entropy",
            "seed": 0,
            "compile": "auto",
            "program": {"kind": "plain", "fingerprint": "ab12", "fallbacks": []},
        },
        "data": {"name": "digits", "sha256": "00ff", "train": 1437, "validation": 0, "test": 360, "classes": 10},
        "time": {
            "samples_per_s": 50_000.0,
            "elapsed_s": 2.0,
            "prepare_s": 0.1,
            "compile_s": 0.0,
            "train_s": 1.8,
            "validate_s": 0.0,
            "epochs_s": [1.0, 0.9],
            "epochs_end_s": [1.1, 2.0],
            "step_median_s": 1e-4,
            "step_spread_s": 1e-5,
        },
        "resources": {
            "host": {
                "cpu_percent_mean": 180.0,
                "peak_rss_bytes": 100_000_000,
                "energy_j": 90.0,
                "energy_per_epoch_j": [40.0, 45.0],
                "over_time": {
                    "elapsed_s": [1.0, 2.0],
                    "cpu_percent": [170.0, 190.0],
                    "power_w": [45.0, 45.0],
                    "rss_bytes": [90_000_000, 100_000_000],
                },
            },
            "device": {
                "name": "NVIDIA Test",
                "utilisation_percent_mean": 40.0,
                "memory_used_bytes_peak": 3,
                "process_memory_bytes_peak": 2,
                "copied_bytes": 1,
                "copied_s": 0.5,
                "energy_j": 5.0,
                "energy_per_epoch_j": [2.0, 2.5],
                "temperature_c_max": 61,
                "over_time": {
                    "elapsed_s": [1.0, 2.0],
                    "utilisation_percent": [30.0, 50.0],
                    "power_w": [2.5, 2.5],
                    "memory_used_bytes": [2, 3],
                    "temperature_c": [60, 61],
                    "process_memory_bytes": [1, 2],
                },
            },
            "plan": {"predicted_peak_bytes": 9, "predicted_step_s": 1e-4, "flops_per_step": 10},
        },
        "history": {"loss": [0.7, 0.2], "accuracy": [0.8, 0.95]},
        "result": {"train": {"loss": 0.19, "accuracy": 0.96}, "test": {"loss": 0.3, "accuracy": 0.9}},
    }
    return RunRecord(**{**parts, **changes})


def test_a_whole_record_fits_the_layout_and_needs_no_reason():
    record = whole().to_dict()
    assert check_layout(record) == []
    assert record["resources"]["reasons"] == {}
    assert list(record) == list(RECORD.keys)
    assert list(record["time"]) == list(RECORD.keys["time"].keys)
    assert record["result"]["validation"] is None
    assert record["interrupted"] is False


def test_an_empty_record_fits_the_layout_with_reasons():
    record = RunRecord().to_dict()
    assert check_layout(record) == []
    assert record["resources"]["device"] is None
    assert record["resources"]["reasons"]["device"] == "it was not recorded"


def test_what_the_probes_and_the_timer_give_fits_as_it_is(nvml):
    nvml.refuse("NotSupported", "nvmlDeviceGetTotalEnergyConsumption")
    timer = StepTimer()
    timer.add(3, 0.1)
    with HostProbe() as host, DeviceProbe("cuda", lambda: Share(2, 1, 0.5)) as device:
        pass
    reasons = {**host.reasons, **device.reasons, **timer.reasons}
    parts = whole()
    time = {**parts.time, "step_median_s": timer.step_median_s, "step_spread_s": timer.step_spread_s}
    resources = {**parts.resources, "host": host.stop(), "device": device.stop(), "reasons": reasons}
    record = whole(time=time, resources=resources).to_dict()
    assert check_layout(record) == []
    expected = {"device.energy_j", "device.over_time.power_w", "time.step_spread_s"}
    counters = {"host.energy_j", "host.energy_per_epoch_j", "host.over_time.power_w"}  # not on every machine
    assert set(record["resources"]["reasons"]) - counters == expected


def test_a_record_from_before_resources_over_time_is_read(tmp_path):
    record = whole().to_dict()
    del record["time"]["epochs_end_s"]
    for part in ("host", "device"):
        del record["resources"][part]["over_time"], record["resources"][part]["energy_per_epoch_j"]
    (tmp_path / "old.json").write_text(json.dumps(record))
    old = load_record(tmp_path / "old.json")
    assert old == record
    assert [figure.second for figure in compare(old, whole().to_dict())][-1] == 5.0
    assert "an epoch" not in table(old, width=100)


def test_a_gap_in_a_column_needs_a_reason():
    resources = whole().resources
    over_time = {**resources["host"]["over_time"], "power_w": [None, 45.0]}
    resources = {**resources, "host": {**resources["host"], "over_time": over_time}}
    record = whole(resources=resources).to_dict()
    assert check_layout(record) == []
    assert record["resources"]["reasons"] == {"host.over_time.power_w": "it was not recorded"}


def test_save_and_load(tmp_path):
    record = whole(stopped="early stopping: val_loss did not improve for 5 epochs")
    path = tmp_path / "run.json"
    path.write_text("old")
    record.save(path)
    assert load_record(path) == record.to_dict()
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    assert load_record(path)["stopped"].startswith("early stopping")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_a_saved_file_is_readable_as_the_umask_says_and_links_stay(tmp_path):
    path, link = tmp_path / "run.json", tmp_path / "latest.json"
    link.symlink_to(path)
    before = os.umask(0o022)
    try:
        whole().save(link)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    assert link.is_symlink()


def test_numpy_values_become_plain_ones():
    history = {"loss": np.array([0.5, 0.25], dtype=np.float32), "accuracy": [np.float32(0.5), np.float64(1)]}
    architecture = {"layers": (np.int64(3), True), "rate": np.float32(0.5)}
    record = whole(history=history, architecture=architecture).to_dict()
    assert record["history"] == {"loss": [0.5, 0.25], "accuracy": [0.5, 1.0]}
    assert record["architecture"] == {"layers": [3, True], "rate": 0.5}
    assert check_layout(json.loads(json.dumps(record))) == []


def test_nan_and_infinity_become_null_with_a_reason(tmp_path):
    record = whole(history={"loss": [0.7, math.nan, math.inf]}, result={"train": {"loss": np.float32("nan")}})
    record.save(tmp_path / "run.json")
    saved = load_record(tmp_path / "run.json")
    assert saved["history"]["loss"] == [0.7, None, None]
    assert saved["resources"]["reasons"] == {
        "history.loss": "entry 2 was nan, entry 3 was inf",
        "result.train.loss": "it was nan",
    }
    assert check_layout(saved) == []


def test_late_values_are_computed_once_and_when_needed():
    calls = []

    def late(name, value):
        def compute():
            calls.append(name)
            return value

        return compute

    data = {"sha256": late("hash", "ab"), "train": 3}
    record = whole(data=data, result={"train": late("train", {"loss": 0.5})})
    assert calls == []
    assert record.train_result == {"loss": 0.5}
    assert calls == ["train"]
    assert record.to_dict()["data"]["sha256"] == record.data_sha256 == "ab"
    record.to_dict()
    assert calls == ["train", "hash"]


def test_a_late_value_that_fails_is_null_in_the_file_and_raises_when_read():
    record = whole(result={"train": lambda: 1 / 0})
    written = record.to_dict()
    assert written["result"]["train"] is None
    assert written["resources"]["reasons"]["result.train"] == "ZeroDivisionError: division by zero"
    assert check_layout(written) == []
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        _ = record.train_result


def test_a_key_that_the_layout_lacks_is_refused():
    with pytest.raises(ArgumentError, match="resources has no 'hots' in a run record; known: host, device"):
        whole(resources={"hots": {}}).to_dict()
    assert whole(training={"shuffle": True}).to_dict()["training"]["shuffle"] is True


def test_a_value_that_json_cannot_hold_is_refused_with_its_path():
    with pytest.raises(ArgumentError, match=r"cannot hold architecture\.layers = \{1\} \(set\); give numbers, text"):
        whole(architecture={"layers": {1}}).to_dict()


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(FileError, match=r"cannot write the record to .*: No such file or directory; does the folder"):
        whole().save(tmp_path / "nowhere" / "run.json")


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    whole().save(path)
    before = path.read_text(encoding="utf-8")
    monkeypatch.setattr(os, "replace", lambda old, new: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(FileError, match="disk full"):
        whole(interrupted=True).save(path)
    assert path.read_text(encoding="utf-8") == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the record '.*': No such file"),
        (b"loss 0.3", "is not a run record: it is not JSON"),
        (b"\xff\xfe\x00", "is not a run record: it is not JSON"),
        (b"[1]", "expected a JSON object with a 'format'"),
        (b'{"loss": 1}', "expected a JSON object with a 'format'"),
        (b'{"format": 2}', "has the record format 2, this nnkit reads 1; update nnkit"),
        (b'{"format": 1, "time": {}}', "is not a whole run record: it lacks architecture, training"),
    ],
)
def test_files_that_are_no_records(tmp_path, content, message):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        load_record(path)


def broken(change):
    record = whole().to_dict()
    change(record)
    return check_layout(record)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda r: r["time"].update(elapsed_s="2 s"), "time.elapsed_s is str, expected int or float"),
        (lambda r: r["time"].update(elapsed_s=True), "time.elapsed_s is bool, expected int or float"),
        (lambda r: r["time"].update(lunch_s=1.0), "time.lunch_s is not part of the layout"),
        (lambda r: r["time"].pop("train_s"), "the keys of time are elapsed_s, prepare_s, compile_s, validate_s"),
        (lambda r: r.update(time=3), "time is int, expected an object"),
        (lambda r: r.update(interrupted=None), "interrupted is null, which it never may be"),
        (lambda r: r["history"].update(loss=["a"]), "history.loss holds something else than int or float"),
        (lambda r: r["history"].update(loss=[0.1, None]), "history.loss is null without a reason"),
        (lambda r: r["resources"].update(device=None), "resources.device is null without a reason"),
        (lambda r: r["resources"]["host"].update(peak_rss_bytes=None), "resources.host.peak_rss_bytes is null without"),
        (lambda r: r["result"]["test"].update(accuracy=None), "result.test.accuracy is null without a reason"),
    ],
)
def test_check_layout_finds(change, problem):
    found = broken(change)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_check_layout_finds_a_wrong_order():
    record = whole().to_dict()
    record["time"] = dict(reversed(record["time"].items()))
    assert "expected elapsed_s next" in check_layout(record)[0]


def test_a_reason_for_a_part_counts_for_its_figures():
    def change(record):
        record["resources"]["host"].update(peak_rss_bytes=None, cpu_percent_mean=None)
        record["resources"]["reasons"]["host"] = "the probe was off"

    assert broken(change) == []
