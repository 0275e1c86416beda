import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from nnkit.measure import host, rapl
from nnkit.measure.host import HostProbe
from nnkit.measure.sampler import Sampler


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_a_sleeping_run_uses_little_and_the_probe_under_one_percent():
    probe = HostProbe()
    probe.start()
    time.sleep(1)
    figures = probe.stop()
    assert 0 <= figures["cpu_percent_mean"] < 20
    assert 0 < probe.sampler_cpu_s < 0.01
    assert {name for name in probe.reasons if "energy" not in name and "power" not in name} == set()


def test_a_busy_run_uses_a_core():
    # Processor time that other programs took from this one would lower the percentage: spin for 1 s of our own time.
    with HostProbe() as probe:
        wall, mine = time.perf_counter(), time.process_time()
        spin(1)
        available = (time.process_time() - mine) / (time.perf_counter() - wall)
    assert probe.stop()["cpu_percent_mean"] > 80 * min(available, 1.0)


def test_memory_that_came_and_went_is_in_the_peak():
    with HostProbe() as probe:
        before = probe._memory.highest
        block = np.ones(25_000_000)
        time.sleep(0.5)
        del block
    assert probe.stop()["peak_rss_bytes"] - before > 190_000_000


def test_the_samples_alone_see_the_peak(monkeypatch):
    monkeypatch.setattr(host, "_high_water_bytes", lambda: None)
    with HostProbe() as probe:
        before = probe._memory.highest
        block = np.ones(25_000_000)
        time.sleep(0.6)
        del block
    assert probe.stop()["peak_rss_bytes"] - before > 190_000_000


def test_a_risen_high_water_mark_is_the_exact_peak(monkeypatch):
    marks = iter([1_000, 9 * 10**15])
    monkeypatch.setattr(host, "_high_water_bytes", lambda: next(marks))
    with HostProbe() as probe:
        pass
    assert probe.stop()["peak_rss_bytes"] == 9 * 10**15


@pytest.mark.parametrize(("platform", "expected"), [("darwin", 5), ("linux", 5 * 1024)])
def test_the_high_water_mark_has_the_unit_of_its_system(monkeypatch, platform, expected):
    usage = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: SimpleNamespace(ru_maxrss=5))
    monkeypatch.setitem(sys.modules, "resource", usage)
    monkeypatch.setattr(host.sys, "platform", platform)
    assert host._high_water_bytes() == expected


def test_without_the_resource_module_there_is_no_mark(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    assert host._high_water_bytes() is None


def test_without_psutil_the_peak_has_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(host, "_high_water_bytes", lambda: None)
    with HostProbe() as probe:
        pass
    figures = probe.stop()
    assert figures["peak_rss_bytes"] is None
    assert figures["cpu_percent_mean"] is not None
    assert "psutil cannot be used" in probe.reasons["host.peak_rss_bytes"]


def test_a_failing_sample_never_reaches_the_run(monkeypatch):
    def refuse():
        raise PermissionError("not yours")

    monkeypatch.setattr(HostProbe, "_open_memory", lambda self: refuse)
    monkeypatch.setattr(host, "_high_water_bytes", lambda: None)
    with HostProbe() as probe:
        time.sleep(0.3)
    assert probe.stop()["peak_rss_bytes"] is None
    assert probe.reasons["host.peak_rss_bytes"] == "sampling failed: PermissionError: not yours"


def test_samples_over_time_show_when_the_run_worked():
    for _ in range(3):  # where the machine stood still there are fewer
        with HostProbe() as probe:
            time.sleep(0.6)
            spin(0.6)
        figures = probe.stop()
        over_time = figures["over_time"]
        percent, elapsed_s = over_time["cpu_percent"], over_time["elapsed_s"]
        if len(percent) >= 4:
            break
    assert len(percent) == len(elapsed_s) == len(over_time["rss_bytes"]) >= 4
    assert elapsed_s == sorted(elapsed_s)
    assert elapsed_s[-1] >= 1.2
    assert percent[0] < percent[-1]
    intervals = np.diff([0.0, *elapsed_s])
    assert np.dot(percent, intervals) / elapsed_s[-1] == pytest.approx(figures["cpu_percent_mean"], rel=0.05, abs=1)
    assert max(over_time["rss_bytes"]) <= figures["peak_rss_bytes"]


def test_the_shortest_run_has_a_sample():
    with HostProbe() as probe:
        pass
    assert len(probe.stop()["over_time"]["elapsed_s"]) <= 2  # the second if the machine had no time for it
    assert probe.stop()["over_time"]["rss_bytes"][-1] > 1_000_000


def test_without_psutil_the_memory_over_time_has_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    with HostProbe() as probe:
        pass
    over_time = probe.stop()["over_time"]
    assert over_time["rss_bytes"] is None
    assert over_time["cpu_percent"][-1] >= 0
    assert "psutil cannot be used" in probe.reasons["host.over_time.rss_bytes"]


def counters(monkeypatch, tmp_path):
    """A package whose counter a test moves."""
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    for name, content in (("name", "package-0"), ("max_energy_range_uj", "1000000000"), ("energy_uj", "999000000")):
        (package / name).write_text(content)
    monkeypatch.setattr(host, "Rapl", lambda: rapl.Rapl(tmp_path))
    return package / "energy_uj"


def show(counter, energy_uj):
    """In one step, for the probe's thread may read at any time."""
    new = counter.with_name("new")
    new.write_text(str(energy_uj))
    new.replace(counter)


def test_energy_of_the_processor_and_of_each_epoch(monkeypatch, tmp_path):
    counter = counters(monkeypatch, tmp_path)
    with HostProbe() as probe:
        probe.boundary()
        for energy_uj in (4_000_000, 9_000_000):  # the first is beyond the end of the counter
            time.sleep(0.25)
            show(counter, energy_uj)
            probe.boundary()
    figures = probe.stop()
    assert figures["energy_j"] == pytest.approx(10.0)
    assert figures["energy_per_epoch_j"] == [pytest.approx(5.0), pytest.approx(5.0)]
    assert sum(figures["over_time"]["power_w"]) > 0
    assert probe.reasons == {}


def test_a_counter_that_vanishes_ends_in_reasons(monkeypatch, tmp_path):
    counter = counters(monkeypatch, tmp_path)
    with HostProbe() as probe:
        probe.boundary()
        counter.unlink()
        probe.boundary()
    figures = probe.stop()
    assert figures["energy_j"] is figures["energy_per_epoch_j"] is figures["over_time"]["power_w"] is None
    assert set(probe.reasons) == {"host.energy_j", "host.energy_per_epoch_j", "host.over_time.power_w"}
    assert all(reason.startswith("sampling failed: FileNotFoundError") for reason in probe.reasons.values())


def test_a_system_without_counters_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(host, "Rapl", lambda: rapl.Rapl(tmp_path))
    with HostProbe() as probe:
        probe.boundary()
        probe.boundary()
    assert probe.stop()["energy_per_epoch_j"] is None
    reason = f"the system shows no energy counter of the processor (no package in {tmp_path})"
    names = ("host.energy_j", "host.energy_per_epoch_j", "host.over_time.power_w")
    assert probe.reasons == dict.fromkeys(names, reason)


def test_stop_without_start_and_stop_twice():
    probe = HostProbe()
    probe.boundary()
    assert probe.stop() == dict.fromkeys(host.FIGURES)
    assert probe.reasons == {f"host.{name}": "the probe was not started" for name in host.FIGURES}
    probe.start()
    first = probe.stop()
    assert "host.cpu_percent_mean" not in probe.reasons
    spin(0.01)
    assert probe.stop() == first


def test_starting_again_measures_anew():
    probe = HostProbe()
    probe.start()
    spin(0.2)
    thread = probe._sampler._thread
    probe.start()
    assert not thread.is_alive()
    time.sleep(0.2)
    assert probe.stop()["cpu_percent_mean"] < 50


def test_the_sampler_slows_down_when_a_sample_is_expensive():
    calls = []

    def expensive():
        spin(0.02)
        calls.append(time.perf_counter())

    sampler = Sampler(expensive, interval_s=0.01)
    sampler.start()
    time.sleep(0.5)
    assert sampler.stop()
    assert len(calls) == 1


def test_a_sampler_that_fails_or_cannot_start_keeps_the_error(monkeypatch):
    sampler = Sampler(lambda: 1 / 0, interval_s=0.001)
    sampler.start()
    time.sleep(0.1)
    assert sampler.stop()
    assert isinstance(sampler.error, ZeroDivisionError)

    def no_thread(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", no_thread)
    sampler = Sampler(lambda: None)
    sampler.start()
    assert sampler.stop()
    assert str(sampler.error) == "can't start new thread"


def test_a_sample_that_hangs_does_not_hold_up_the_end():
    import threading

    go_on = threading.Event()
    sampler = Sampler(lambda: go_on.wait(5) and None, interval_s=0.001)
    sampler.start()
    time.sleep(0.05)
    assert not sampler.stop(patience_s=0.05)
    go_on.set()
    assert sampler.stop()
