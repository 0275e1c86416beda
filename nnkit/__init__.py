"""nnkit: define, train, test, save and measure neural networks, with one planned engine for every device.

>>> import nnkit
>>> data = nnkit.data.load("moons", seed=0)
>>> net = nnkit.FeedForward(inputs=2, hidden=[16, 16], outputs=2, output_activation="softmax", seed=0)
>>> run = net.fit(data.x_train, data.y_train, epochs=30, learning_rate=0.01, progress=False)
>>> net.test(data.x_test, data.y_test).accuracy > 0.9
True
"""

from typing import TYPE_CHECKING

from nnkit import callbacks, constraints, data, elsewhere, initializers, losses, metrics, nn, ops, optimizers
from nnkit._version import __version__
from nnkit.checkpoint import resume
from nnkit.errors import NnkitError, NnkitWarning
from nnkit.feedforward import FeedForward, Sequential
from nnkit.formats import from_sklearn, load
from nnkit.functional import grad, trace, value_and_grad
from nnkit.network import Network
from nnkit.nn import Module, Parameter, State
from nnkit.parity import check_device
from nnkit.repetition import repeat
from nnkit.training.batch_finder import find_batch_size
from nnkit.training.callbacks import Callback, EarlyStopping
from nnkit.training.checking import check_gradients
from nnkit.training.rate_finder import find_learning_rate

__all__ = [
    "Callback",
    "EarlyStopping",
    "FeedForward",
    "Module",
    "Network",
    "NnkitError",
    "NnkitWarning",
    "Parameter",
    "Sequential",
    "State",
    "__version__",
    "callbacks",
    "check_device",
    "check_gradients",
    "constraints",
    "data",
    "find_batch_size",
    "find_learning_rate",
    "from_sklearn",
    "grad",
    "initializers",
    "load",
    "losses",
    "metrics",
    "nn",
    "ops",
    "optimizers",
    "repeat",
    "resume",
    "trace",
    "value_and_grad",
]

if not TYPE_CHECKING:
    _INSIDE = {
        name: f"it is {part.__name__}.{name}"
        for part in (metrics, initializers, constraints, losses, optimizers.schedules, optimizers, callbacks, nn)
        for name in part.__all__
        if isinstance(getattr(part, name), type)
    }
    __getattr__ = elsewhere.missing(__name__, _INSIDE | elsewhere.TOP)
