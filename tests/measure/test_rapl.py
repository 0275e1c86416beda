"""The counters of processor packages, in a folder of the form that Linux shows."""

import os

import pytest

from nnkit.measure.rapl import Rapl

RANGE_UJ = 262_143_328_850


def domain(folder, number, name, energy_uj, range_uj=RANGE_UJ):
    place = folder / f"intel-rapl:{number}"
    place.mkdir()
    for file, content in (("name", name), ("energy_uj", energy_uj), ("max_energy_range_uj", range_uj)):
        (place / file).write_text(f"{content}\n")
    return place / "energy_uj"


def test_joules_since_it_was_made(tmp_path):
    counter = domain(tmp_path, "0", "package-0", 5_000_000)
    energy = Rapl(tmp_path)
    assert energy() == 0.0
    counter.write_text("7500000\n")
    assert energy() == 2.5
    assert energy() == 2.5


def test_packages_add_up_and_their_parts_and_the_platform_do_not_count_again(tmp_path):
    counters = [
        domain(tmp_path, number, name, 0)
        for number, name in (
            ("0", "package-0"),
            ("1", "package-1"),
            ("0:0", "core"),
            ("0:1", "dram"),
            ("2", "psys"),
        )
    ]
    (tmp_path / "intel-rapl").mkdir()
    energy = Rapl(tmp_path)
    for counter in counters:
        counter.write_text("3000000")
    assert energy() == 6.0


def test_a_counter_that_starts_anew_goes_on(tmp_path):
    first = domain(tmp_path, "0", "package-0", RANGE_UJ - 1_000_000)
    second = domain(tmp_path, "1", "package-1", 10)
    energy = Rapl(tmp_path)
    for begun in (2_000_000, 1_000_000):  # twice around
        first.write_text(str(begun))
    assert energy() == 2.0
    first.write_text("500000")
    second.write_text("1000010")
    assert energy() == pytest.approx(2.0 + RANGE_UJ / 1e6 - 0.5 + 1.0)


@pytest.mark.parametrize("others", [[], [("0:0", "core"), ("1", "psys")]])
def test_without_packages_it_says_where_it_looked(tmp_path, others):
    for number, name in others:
        domain(tmp_path, number, name, 0)
    with pytest.raises(LookupError, match=r"shows no energy counter of the processor \(no package in .*\)"):
        Rapl(tmp_path)
    with pytest.raises(LookupError, match="no energy counter"):
        Rapl(tmp_path / "nowhere")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_counters_that_only_root_may_read(tmp_path):
    domain(tmp_path, "0", "package-0", 0).chmod(0)
    with pytest.raises(
        LookupError, match=r"not readable: Permission denied \(.*energy_uj\); many systems let only root"
    ):
        Rapl(tmp_path)


def test_a_refusal_of_the_system_is_given_in_its_words(tmp_path, monkeypatch):
    counter = domain(tmp_path, "0", "package-0", 0)
    read = type(counter).read_text

    def refuse(path, *args, **options):
        if path == counter:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *args, **options)

    monkeypatch.setattr(type(counter), "read_text", refuse)
    with pytest.raises(
        LookupError, match=r"not readable: Permission denied \(.*energy_uj\); many systems let only root"
    ):
        Rapl(tmp_path)
