"""What a run took and what came of it: clock, probes of host and GPU, environment, run record, closing table."""

from nnkit.measure.checks import check_layout
from nnkit.measure.clock import PHASES, Clock, StepTimer
from nnkit.measure.comparison import Figure, compare
from nnkit.measure.device import DeviceProbe
from nnkit.measure.environment import environment
from nnkit.measure.eta import RemainingTime
from nnkit.measure.files import replacing
from nnkit.measure.host import HostProbe
from nnkit.measure.record import RunRecord, load_record
from nnkit.measure.summary import table
from nnkit.measure.usage import Usage

__all__ = [
    "PHASES",
    "Clock",
    "DeviceProbe",
    "Figure",
    "HostProbe",
    "RemainingTime",
    "RunRecord",
    "StepTimer",
    "Usage",
    "check_layout",
    "compare",
    "environment",
    "load_record",
    "replacing",
    "table",
]
