"""Random jobs of training, drawn by hypothesis: architecture, loss, optimiser, batch."""

from __future__ import annotations

from hypothesis import strategies as st

from nnkit import losses, nn
from nnkit.constraints import CONSTRAINTS
from nnkit.nn.activations import ACTIVATIONS
from nnkit.optimizers import (
    LAMB,
    SGD,
    Accumulate,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    ClipByGlobalNorm,
    ClipByNorm,
    ClipByValue,
    ExponentialMovingAverage,
    Ftrl,
    Lion,
    LossScale,
    Muon,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
    ScheduleFreeAdamW,
    WeightDecay,
)
from nnkit.optimizers.schedules import (
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSquareRoot,
    InverseTime,
    Linear,
    MultiStep,
    OneCycle,
    Polynomial,
    Sequence,
    Step,
)
from tests.training.steps import Job

RATES = st.sampled_from(
    [
        0.01,
        Step(0.02, every=2),
        Cosine(0.02, warmup=2),
        Exponential(0.02, factor=0.9),
        MultiStep(0.02, [1, 2], warmup=1),
        Polynomial(0.02, power=0.9),
        CosineRestarts(0.02, first=1, multiply=2),
        OneCycle(0.02),
        Cyclic(0.02, minimum=0.01, rise=1),
        InverseSquareRoot(0.02, warmup=1),
        Sequence([Linear(0.02, start_factor=0.1, end_factor=1.0), InverseTime(0.02, decay=0.5)], boundaries=[2]),
    ]
)
PLAIN = RATES.flatmap(
    lambda rate: st.sampled_from(
        [
            SGD(rate),
            SGD(rate, momentum=0.9),
            SGD(rate, momentum=0.9, nesterov=True),
            SGD(rate, momentum=0.5, weight_decay=0.1),
            SGD(rate, momentum=Exponential(0.9, factor=0.8)),
        ]
    )
)
ADAPTIVE = RATES.flatmap(
    lambda rate: st.sampled_from(
        [
            Adam(rate),
            Adam(rate, amsgrad=True),
            AdamW(rate, weight_decay=0.1),
            RMSprop(rate),
            RMSprop(rate, momentum=0.5),
            Adagrad(rate),
            Adadelta(rate),
            Adamax(rate),
            NAdam(rate),
            RAdam(rate),
            Lion(rate, weight_decay=0.1),
            LAMB(rate, weight_decay=0.1),
            Adafactor(rate),
            Rprop(rate),
            Muon(rate),
            Muon(rate, others=SGD(rate, momentum=0.9), nesterov=False, adjust="match_rms_adamw"),
            Ftrl(rate, l1=0.01),
            ScheduleFreeAdamW(rate, weight_decay=0.1),
        ]
    )
)
WRAPPERS = st.sampled_from(
    [
        lambda optimizer: optimizer,
        lambda optimizer: ClipByGlobalNorm(optimizer, 0.7),
        lambda optimizer: ClipByNorm(optimizer, 0.3),
        lambda optimizer: ClipByValue(optimizer, 0.1),
        lambda optimizer: WeightDecay(optimizer, 0.1),
        lambda optimizer: Accumulate(optimizer, 2),
        lambda optimizer: optimizer if optimizer.has_final else ExponentialMovingAverage(optimizer, 0.9),
    ]
)


OUTERMOST = st.sampled_from([*[lambda optimizer: optimizer] * 3, lambda optimizer: LossScale(optimizer, 64.0, 2)])


def wrapped(optimizers):
    """With none, one or two wrappers, and then a loss scale or none."""
    return st.builds(
        lambda optimizer, inner, outer, last: last(outer(inner(optimizer))), optimizers, WRAPPERS, WRAPPERS, OUTERMOST
    )


# Output activation, loss and kind of targets.
GOALS = [
    ("identity", "mean_squared_error", "numbers"),
    ("tanh", "mean_squared_error", "numbers"),
    ("identity", "mean_absolute_error", "numbers"),
    ("gelu", losses.Huber(0.3), "numbers"),
    ("sigmoid", "binary_cross_entropy", "yes"),
    ("hard_sigmoid", "binary_cross_entropy", "yes"),
    ("softmax", "cross_entropy", "classes"),
    ("softmax", "cross_entropy", "shares"),
    ("log_softmax", losses.CrossEntropy(0.1), "classes"),
    ("softmax", losses.CrossEntropy(0.1), "shares"),
    ("sparsemax", "cross_entropy", "classes"),
    ("exponential", "poisson", "counts"),
    ("softplus", "poisson", "counts"),
    ("identity", "log_cosh", "numbers"),
    ("identity", losses.Quantile(0.7), "numbers"),
    ("softplus", "mean_squared_logarithmic_error", "counts"),
    ("identity", "cosine_similarity", "numbers"),
    ("tanh", "hinge", "yes"),
    ("sigmoid", "binary_focal", "yes"),
    ("softmax", "focal", "classes"),
    ("softmax", "kl_divergence", "shares"),
    ("identity", "categorical_hinge", "classes"),
    ("identity", "triplet", "classes"),
    ("identity", losses.Triplet(1.0, "all"), "classes"),
]
HALVING = ("glu", "maxout")
WIDTHS = st.integers(1, 40)
# What may stand after a layer.
AFTER = [
    list,
    list,
    list,
    lambda: [nn.Dropout(0.3)],
    lambda: [nn.BatchNorm()],
    lambda: [nn.LayerNorm()],
    lambda: [nn.RMSNorm()],
    lambda: [nn.GroupNorm(1)],
    lambda: [nn.Dense(6), nn.GroupNorm(3)],
    lambda: [nn.AlphaDropout(0.2), nn.GaussianNoise(0.1)],
    lambda: [nn.GaussianDropout(0.2), nn.ActivityRegularization(0.01, 0.02)],
]


@st.composite
def layers(draw):
    """None to four hidden layers, each with what may stand after it."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from([*ACTIVATIONS, "prelu"]))
        width = draw(WIDTHS) * (2 if name in HALVING else 1)
        penalty = draw(st.sampled_from([{}, {}, {"l2": 0.01}, {"l1": 0.01, "l2": 0.1}]))
        limit = draw(st.sampled_from([{}, {}, {}, *({"constraint": name} for name in CONSTRAINTS)]))
        dense = nn.Dense(width, name, bias=draw(st.booleans()), **penalty, **limit)
        found.append(draw(st.sampled_from([dense, dense, dense, nn.WeightNorm(dense), nn.SpectralNorm(dense)])))
        found += draw(st.sampled_from(AFTER))()
    return found


@st.composite
def jobs(draw, optimizers):
    """A job, and the rows of its batches."""
    shape = draw(st.sampled_from([(1,), (3,), (7,), (40,), (2, 3), (3, 1, 2)]))
    activation, loss, labels = draw(st.sampled_from(GOALS))
    flat = [nn.Flatten()] if len(shape) > 1 or draw(st.booleans()) else []
    last = nn.Dense(draw(st.integers(1, 5)), activation)
    module = nn.Sequential([*flat, *draw(layers()), last])
    batch = draw(st.sampled_from([1, 2, 5, 7]))
    optimizer = draw(wrapped(optimizers))
    return Job(module, shape, loss, optimizer, labels, weighted=draw(st.booleans())), batch
