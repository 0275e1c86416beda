import pytest

from nnkit.measure import table
from nnkit.measure.units import bytes_text, clock_text, number_text, seconds_text


@pytest.fixture
def record():
    return {
        "time": {
            "elapsed_s": 12.3,
            "prepare_s": 0.1,
            "compile_s": 2.0,
            "train_s": 9.8,
            "validate_s": 0.4,
            "step_median_s": 81.2e-6,
            "step_spread_s": 3.1e-6,
            "samples_per_s": 123_456.0,
        },
        "resources": {
            "host": {"cpu_percent_mean": 187.2, "peak_rss_bytes": 412_000_000},
            "device": {
                "name": "NVIDIA Test",
                "utilisation_percent_mean": 63.0,
                "memory_used_bytes_peak": 1_234_000_000,
                "energy_j": 1512.0,
                "temperature_c_max": 61,
            },
            "reasons": {},
        },
        "result": {
            "train": {"loss": 0.0123, "accuracy": 0.998, "confusion": [[1]]},
            "validation": {"loss": 0.0456, "accuracy": None},
            "test": None,
        },
        "interrupted": False,
    }


def test_the_whole_table(record):
    assert table(record, width=80).splitlines() == [
        "                  loss  accuracy",
        "train          0.01230    0.9980",
        "validation     0.04560         –",
        "time        12.3 s · prepare 100 ms · compile 2 s · train 9.8 s",
        "            validate 400 ms",
        "speed       123,000 samples/s · step 81.2 µs ± 3.1 µs",
        "computer    CPU 187 % · peak memory 412 MB",
        "GPU         NVIDIA Test · 63 % busy · peak memory 1.23 GB · 1,512 J · 61 °C",
    ]


def test_what_this_process_takes_of_the_gpu(record):
    record["resources"]["device"] |= {"process_memory_bytes_peak": 400_000_000, "copied_bytes": 12e6, "copied_s": 0.003}
    last = table(record, width=160).splitlines()[-1]
    assert (
        " · peak memory 1.23 GB · 400 MB of this process · 12 MB copied to it, 3 ms waited for it · 1,512 J · " in last
    )


def test_energy_of_an_epoch_where_it_is_known(record):
    record["resources"]["host"] |= {"energy_j": 92.25, "energy_per_epoch_j": [1.0, None, 2.0]}
    record["resources"]["device"]["energy_per_epoch_j"] = [140.0, 160.0]
    lines = table(record, width=120).splitlines()
    assert lines[-2] == "computer    CPU 187 % · peak memory 412 MB · 92.2 J · 1.5 J an epoch"
    assert lines[-1].endswith(" · 1,512 J · 150 J an epoch · 61 °C")


@pytest.mark.parametrize("energy", [{}, {"energy_per_epoch_j": None}, {"energy_per_epoch_j": []}])
def test_without_energy_of_epochs_nothing_is_said(record, energy):
    record["resources"]["device"] |= energy
    assert "an epoch" not in table(record, width=120)


@pytest.mark.parametrize("width", [1, 24, 30, 40, 60, 79])
def test_no_line_is_wider_than_the_terminal(record, width):
    record["stopped"] = "early stopping: val_loss did not improve by more than 0.001 for 5 epochs"
    record["interrupted"] = True
    lines = table(record, width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 24)
    assert all(not line.endswith("·") for line in lines)


def test_long_figures_stand_apart(record):
    record["result"] = {"train": {"loss": -2.5e37, "r2": -3.9e-133}}
    assert table(record, width=80).splitlines()[1] == "train         -2.500e+37  -3.900e-133"


def test_the_width_is_the_terminals(record, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, table(record).splitlines())) <= 40


def test_stopped_and_interrupted_are_said(record):
    record["stopped"], record["interrupted"] = "the loss became NaN at epoch 3, step 12", True
    text = table(record, width=100)
    assert "stopped     the loss became NaN at epoch 3, step 12" in text
    assert "interrupted the network keeps the state of the last whole step" in text


def test_a_missing_gpu_is_explained_unless_the_run_was_on_the_cpu(record):
    record["resources"]["device"] = None
    assert "GPU" not in table(record, width=80)
    record["resources"]["reasons"]["device"] = "the driver was gone"
    assert "GPU         the driver was gone" in table(record, width=80)
    record["resources"]["reasons"]["device"] = "the run was on the CPU, and no GPU could be read: no driver"
    assert "GPU" not in table(record, width=80)


def test_missing_figures_leave_no_gap(record):
    record["time"].update(step_spread_s=None, samples_per_s=None)
    assert "speed       step 81.2 µs\n" in table(record, width=80)
    assert table({}, width=80) == ""


def test_colour_only_when_asked(record):
    plain, coloured = table(record, width=80), table(record, width=80, colour=True)
    assert "\x1b" not in plain
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain
    assert "\x1b[1mtrain       \x1b[0m" in coloured


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number_text(0.1), "0.1000"),
        (number_text(123456.0), "1.235e+05"),
        (number_text(float("inf")), "inf"),
        (seconds_text(0.0), "0 s"),
        (seconds_text(5e-12), "5e-12 s"),
        (seconds_text(0.999), "999 ms"),
        (seconds_text(0.99999), "1 s"),
        (seconds_text(99.96), "1:40"),
        (bytes_text(0), "0 B"),
        (bytes_text(999_999), "1 MB"),
        (bytes_text(2_500_000_000_000), "2.5 TB"),
        (bytes_text(5e15), "5000 TB"),
        (clock_text(float("nan")), "?"),
        (clock_text(-3.0), "0:00"),
        (clock_text(3599.7), "1:00:00"),
    ],
)
def test_numbers_as_text(text, expected):
    assert text == expected


def test_metrics_that_do_not_fit_beside_the_others_stand_below():
    scores = {"loss": 0.5, "accuracy": 0.75, "top_3_accuracy": 1.0, "x" * 40: 1.0}
    assert table({"result": {"test": scores}}, width=40).splitlines() == [
        "                  loss  accuracy",
        "test            0.5000    0.7500",
        "              top_3_accuracy",
        "test                   1.000",
    ]
