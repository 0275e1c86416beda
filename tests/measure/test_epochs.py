import pytest

from nnkit.measure.epochs import EpochEnergy


class Machine:
    """A clock and a counter that rises by `watts`; every reading is counted, and may be refused."""

    def __init__(self, watts=100.0):
        self.now, self.joules, self.watts, self.readings, self.refusing = 0.0, 7.0, watts, 0, False
        self.energy = EpochEnergy(self.read, str, time=lambda: self.now)

    def read(self):
        self.readings += 1
        if self.refusing:
            raise OSError("gone")
        return self.joules

    def epochs(self, *seconds):
        self.energy.boundary()
        self.pass_by(*seconds)

    def pass_by(self, *seconds):
        for length in seconds:
            self.now += length
            self.joules += self.watts * length
            self.energy.boundary()


def test_long_epochs_have_what_the_counter_rose_by():
    machine = Machine()
    machine.epochs(1.0, 2.0, 0.5)
    machine.energy.close()
    assert machine.energy.figure() == pytest.approx([100.0, 200.0, 50.0])
    assert machine.readings == 4
    assert machine.energy.reason is None


def test_short_epochs_share_a_reading_by_their_time():
    machine = Machine()
    machine.epochs(*[0.001] * 1000, 0.003, 0.001)
    machine.energy.close()
    assert machine.readings <= 7
    found = machine.energy.figure()
    assert len(found) == 1002
    assert found == pytest.approx([0.1] * 1000 + [0.3, 0.1])


def test_what_comes_after_the_last_epoch_is_not_counted_as_its_own():
    machine = Machine()
    machine.epochs(1.0, 0.1)
    machine.now, machine.joules = 2.1, machine.joules + 100.0  # a final validation
    machine.energy.close()
    assert machine.energy.figure() == pytest.approx([100.0, 10.0])


def test_no_epochs_have_no_energy():
    machine = Machine()
    assert machine.energy.figure() == []
    machine.epochs()
    machine.energy.close()
    assert machine.energy.figure() == []
    assert machine.readings == 1


def test_a_refusal_in_between_costs_no_figure():
    machine = Machine()
    machine.epochs(1.0)
    machine.refusing = True
    machine.pass_by(1.0)
    machine.refusing = False
    machine.pass_by(1.0)
    assert machine.energy.figure() == pytest.approx([100.0] * 3)


def test_a_refusal_to_the_end_leaves_the_last_epochs_without():
    machine = Machine()
    machine.epochs(1.0)
    machine.refusing = True
    machine.pass_by(1.0, 1.0)
    machine.energy.close()
    assert machine.energy.figure() == [pytest.approx(100.0), None, None]
    assert machine.energy.reason == "gone"


def test_a_refusal_from_the_beginning_leaves_the_first_epochs_without():
    machine = Machine()
    machine.refusing = True
    machine.epochs(1.0)
    machine.refusing = False
    machine.pass_by(1.0, 1.0)
    assert machine.energy.figure() == [None, None, pytest.approx(100.0)]
    machine.refusing = True
    assert machine.energy.reason == "gone"


def test_a_counter_that_was_reset_has_no_figure_for_that_epoch():
    machine = Machine()
    machine.epochs(1.0)
    machine.joules = -500.0
    machine.pass_by(1.0, 1.0)
    assert machine.energy.figure() == [pytest.approx(100.0), None, pytest.approx(100.0)]
    assert machine.energy.reason == "the energy counter was reset during the run"


def test_a_counter_that_is_given_up_is_not_asked_again():
    machine = Machine()
    machine.epochs(0.1)
    machine.energy.abandon("the driver did not answer")
    assert machine.energy.figure() is None
    assert machine.energy.reason == "the driver did not answer"
    assert machine.readings == 1
