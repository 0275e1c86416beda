"""Optimisers and schedules as objects: names, defaults, configurations and errors."""

import json

import numpy as np
import pytest

from nnkit import optimizers
from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count, check_number
from nnkit.optimizers import (
    LAMB,
    LBFGS,
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
    from_config,
    get,
    schedules,
)
from nnkit.optimizers.schedules import (
    SCHEDULES,
    Constant,
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
from tests.optimizers.cases import CASES


def test_names_and_defaults():
    known = optimizers.OPTIMIZERS | optimizers.FULL_BATCH
    for name, made in known.items():
        assert get(name) == made()
        assert made.__name__ in optimizers.__all__
    assert set(optimizers.ALIASES.values()) <= known.keys()
    assert get("Adam", 0.3) == Adam(0.3)
    assert get("sgd", Constant(0.3)) == SGD(Constant(0.3))
    method = Adam(0.5)
    assert get(method) is method
    assert (Adam().learning_rate, AdamW().weight_decay, RMSprop().alpha, SGD().momentum) == (1e-3, 0.01, 0.99, 0.0)


def test_names_that_users_know():
    for name, expected in {
        "amsgrad": Adam(amsgrad=True),
        "RMSProp": RMSprop(),
        "NAdam": NAdam(),
        "AdamW": AdamW(),
        "schedule-free": ScheduleFreeAdamW(),
        "ScheduleFreeAdamW": ScheduleFreeAdamW(),
        "Ada Grad": Adagrad(),
    }.items():
        assert get(name) == expected
    assert get("amsgrad", 0.3) == Adam(0.3, amsgrad=True)


ODD = {
    "numbers of NumPy": RMSprop(np.float32(0.5)),
    "counts of NumPy": AdamW(Step(0.1, every=np.int64(7))),
    "nested": ClipByGlobalNorm(ClipByGlobalNorm(SGD(Exponential(0.1, factor=0.9)), 2.0), 1.0),
    "schedules everywhere": SGD(Cosine(0.1, warmup=3), momentum=Cosine(0.9), weight_decay=Step(0.1, every=3)),
    "an optimiser of the others": Muon(others=Adam(Cosine(0.1), amsgrad=True)),
}


@pytest.mark.parametrize("optimizer", [*CASES.values(), *ODD.values()], ids=[*CASES, *ODD])
def test_config_survives_json(optimizer):
    assert from_config(json.loads(json.dumps(optimizer.config()))) == optimizer


def test_resolved_reaches_schedules_inside():
    assert Adam(0.1).resolved(50) == Adam(0.1)
    open_ended = ClipByGlobalNorm(Adam(Cosine(0.1)), 1.0)
    assert open_ended.resolved(50) == ClipByGlobalNorm(Adam(Cosine(0.1, steps=50)), 1.0)
    assert Cosine(0.1, steps=7).resolved(50) == Cosine(0.1, steps=7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-1), r"SGD: learning_rate is -1, expected a number in \[0, inf\)"),
        (lambda: SGD(float("nan")), "SGD: learning_rate is nan"),
        (lambda: SGD(float("inf")), "SGD: learning_rate is inf"),
        (lambda: SGD(10**400), "SGD: learning_rate is 1000"),
        (lambda: SGD(True), "SGD: learning_rate is True"),
        (lambda: SGD("0.1"), "SGD: learning_rate is '0.1'"),
        (lambda: SGD([0.1] * 1000), r"SGD: learning_rate is \[(0\.1, ){15}0\.1,, expected a number in \[0, inf\)"),
        (lambda: SGD(momentum=1.0), r"SGD: momentum is 1.0, expected a number in \[0, 1\)"),
        (lambda: SGD(nesterov=True), "SGD: nesterov=True needs momentum above 0"),
        (lambda: SGD(nesterov=1), "SGD: nesterov is 1, expected True or False"),
        (lambda: SGD(weight_decay=-0.1), "SGD: weight_decay is -0.1"),
        (lambda: RMSprop(-1), "RMSprop: learning_rate is -1"),
        (lambda: RMSprop(alpha=1), "RMSprop: alpha is 1"),
        (lambda: RMSprop(eps=-1e-8), "RMSprop: eps is -1e-08"),
        (lambda: RMSprop(momentum=-0.5), "RMSprop: momentum is -0.5"),
        (lambda: Adam(-1), "Adam: learning_rate is -1"),
        (lambda: Adam(betas=(0.9, 1.0)), r"Adam: betas\[1\] is 1.0, expected a number in \[0, 1\)"),
        (lambda: Adam(betas=0.9), "Adam: betas is 0.9, expected a pair"),
        (lambda: Adam(eps=-1), "Adam: eps is -1"),
        (lambda: AdamW(betas=(-0.1, 0.9)), r"AdamW: betas\[0\] is -0.1"),
        (lambda: AdamW(weight_decay=-1), "AdamW: weight_decay is -1"),
        (lambda: ClipByGlobalNorm("adam", 1.0), "ClipByGlobalNorm: optimizer is 'adam', expected an optimiser object"),
        (lambda: ClipByGlobalNorm(SGD(), 0.0), r"ClipByGlobalNorm: max_norm is 0.0, expected a number in \(0, inf\)"),
        (lambda: SGD(momentum=Constant(1.5)), r"SGD: momentum is 1.5, expected a number in \[0, 1\)"),
        (lambda: SGD(weight_decay="1"), "SGD: weight_decay is '1'"),
        (lambda: RMSprop(momentum=None), "RMSprop: momentum is None"),
        (lambda: Adam(amsgrad=1), "Adam: amsgrad is 1, expected True or False"),
        (lambda: AdamW(amsgrad="yes"), "AdamW: amsgrad is 'yes', expected True or False"),
        (lambda: Adagrad(-1), "Adagrad: learning_rate is -1"),
        (lambda: Adagrad(eps=-1), "Adagrad: eps is -1"),
        (lambda: Adagrad(initial=-1), "Adagrad: initial is -1"),
        (lambda: Adadelta(-1), "Adadelta: learning_rate is -1"),
        (lambda: Adadelta(rho=1), r"Adadelta: rho is 1, expected a number in \[0, 1\)"),
        (lambda: Adadelta(eps=0), r"Adadelta: eps is 0, expected a number in \(0, inf\)"),
        (lambda: Adamax(-1), "Adamax: learning_rate is -1"),
        (lambda: AdamW(-1), "AdamW: learning_rate is -1"),
        (lambda: AdamW(eps=-1), "AdamW: eps is -1"),
        (lambda: Adamax(eps=-1), "Adamax: eps is -1"),
        (lambda: NAdam(betas=(0.9, 1)), r"NAdam: betas\[1\] is 1"),
        (lambda: RAdam(eps=None), "RAdam: eps is None"),
        (lambda: LAMB(betas="0.9"), "LAMB: betas is '0.9', expected a pair"),
        (lambda: ClipByValue(Adam, 1.0), "ClipByValue: optimizer is <class"),
        (lambda: Adamax(betas=[0.9, 0.9]), r"Adamax: betas is \[0.9, 0.9\], expected a pair"),
        (lambda: NAdam(-1), "NAdam: learning_rate is -1"),
        (lambda: NAdam(eps=-1), "NAdam: eps is -1"),
        (lambda: NAdam(momentum_decay=-1), "NAdam: momentum_decay is -1"),
        (lambda: RAdam(-1), "RAdam: learning_rate is -1"),
        (lambda: RAdam(betas=(0.9, 2)), r"RAdam: betas\[1\] is 2"),
        (lambda: Lion(-1), "Lion: learning_rate is -1"),
        (lambda: Lion(betas=(1.0, 0.9)), r"Lion: betas\[0\] is 1.0"),
        (lambda: Lion(weight_decay=-1), "Lion: weight_decay is -1"),
        (lambda: LAMB(-1), "LAMB: learning_rate is -1"),
        (lambda: LAMB(eps=-1), "LAMB: eps is -1"),
        (lambda: LAMB(weight_decay=-1), "LAMB: weight_decay is -1"),
        (lambda: Adafactor(-1), "Adafactor: learning_rate is -1"),
        (lambda: Adafactor(beta2_decay=0), r"Adafactor: beta2_decay is 0, expected a number in \(-inf, 0\)"),
        (lambda: Adafactor(eps=1e-3), r"Adafactor: eps is 0.001, expected a pair such as \(None, 0.001\)"),
        (lambda: Adafactor(eps=(0.0, 1e-3)), r"Adafactor: eps\[0\] is 0.0"),
        (lambda: Adafactor(eps=(None, None)), r"Adafactor: eps\[1\] is None"),
        (lambda: Adafactor(d=0), "Adafactor: d is 0"),
        (lambda: Adafactor(weight_decay=-1), "Adafactor: weight_decay is -1"),
        (lambda: Rprop(-1), "Rprop: learning_rate is -1"),
        (lambda: Rprop(etas=0.5), r"Rprop: etas is 0.5, expected a pair of numbers such as \(0.5, 1.2\)"),
        (lambda: Rprop(etas=(1.2, 0.5)), r"Rprop: etas\[0\] is 1.2, expected a number in \(0, 1\)"),
        (lambda: Rprop(step_sizes=(0, 0)), r"Rprop: step_sizes\[1\] is 0"),
        (lambda: Rprop(step_sizes=(2, 1)), r"Rprop: step_sizes is \(2, 1\), expected the smaller one first"),
        (lambda: Muon(-1), "Muon: learning_rate is -1"),
        (lambda: Muon(momentum=1), "Muon: momentum is 1"),
        (lambda: Muon(nesterov=1), "Muon: nesterov is 1, expected True or False"),
        (lambda: Muon(weight_decay=-1), "Muon: weight_decay is -1"),
        (lambda: Muon(steps=0), "Muon: steps is 0, expected a whole number from 1 up"),
        (lambda: Muon(eps=0), "Muon: eps is 0"),
        (lambda: Muon(adjust="origin"), "unknown adjust of Muon 'origin'. Did you mean 'original'"),
        (lambda: Muon(others="adam"), "Muon: others is 'adam', expected an optimiser object such as AdamW"),
        (lambda: Muon(others=ScheduleFreeAdamW()), "Muon: others averages its parameters; wrap Muon instead, got Sch"),
        (lambda: Ftrl(-1), "Ftrl: learning_rate is -1"),
        (lambda: Ftrl(l1=-1), "Ftrl: l1 is -1"),
        (lambda: Ftrl(l2=-1), "Ftrl: l2 is -1"),
        (lambda: Ftrl(beta=-1), "Ftrl: beta is -1"),
        (lambda: Ftrl(initial=-1), "Ftrl: initial is -1"),
        (lambda: ScheduleFreeAdamW(-1), "ScheduleFreeAdamW: learning_rate is -1"),
        (
            lambda: ScheduleFreeAdamW(betas=(0, 0.9)),
            r"ScheduleFreeAdamW: betas\[0\] is 0, expected .* in \(0, 1\)",
        ),
        (lambda: ScheduleFreeAdamW(eps=-1), "ScheduleFreeAdamW: eps is -1"),
        (lambda: ScheduleFreeAdamW(weight_decay=-1), "ScheduleFreeAdamW: weight_decay is -1"),
        (lambda: ClipByNorm("adam", 1.0), "ClipByNorm: optimizer is 'adam', expected an optimiser object"),
        (lambda: ClipByNorm(SGD(), -1), "ClipByNorm: max_norm is -1"),
        (lambda: ClipByValue(SGD(), Constant(0.0)), r"ClipByValue: max_value is 0.0, expected a number in \(0, inf\)"),
        (lambda: WeightDecay(None), "WeightDecay: optimizer is None"),
        (lambda: WeightDecay(SGD(), -1), "WeightDecay: weight_decay is -1"),
        (lambda: Accumulate(SGD, 2), "Accumulate: optimizer is <class"),
        (lambda: Accumulate(SGD(), 0), "Accumulate: every is 0, expected a whole number from 1 up"),
        (lambda: Accumulate(SGD(), 1.5), "Accumulate: every is 1.5"),
        (lambda: ExponentialMovingAverage(5), "ExponentialMovingAverage: optimizer is 5"),
        (lambda: ExponentialMovingAverage(SGD(), 1.0), "ExponentialMovingAverage: decay is 1.0"),
        (
            lambda: ExponentialMovingAverage(Accumulate(ScheduleFreeAdamW(), 2)),
            "ExponentialMovingAverage: .* averages its parameters already; use it without this wrapper, or another",
        ),
        (lambda: LossScale("adam"), "LossScale: optimizer is 'adam', expected an optimiser object"),
        (lambda: LossScale(LBFGS()), r"LossScale: LBFGS\(.* searches for its own steps; use it alone"),
        (lambda: LossScale(SGD(), 0.0), r"LossScale: initial is 0.0, expected a number in \(0, inf\)"),
        (lambda: LossScale(SGD(), -2.0), "LossScale: initial is -2.0"),
        (lambda: LossScale(SGD(), float("inf")), "LossScale: initial is inf"),
        (lambda: LossScale(SGD(), interval=0), "LossScale: interval is 0, expected a whole number from 1 up"),
        (lambda: LossScale(SGD(), interval=1.5), "LossScale: interval is 1.5"),
        (
            lambda: ClipByNorm(LossScale(SGD()), 1.0),
            r"ClipByNorm: LossScale has to do with the loss and stands outside .* write LossScale\(ClipByNorm\(",
        ),
        (lambda: LossScale(LossScale(SGD())), "LossScale: LossScale has to do with the loss and stands outside of all"),
        (
            lambda: Muon(others=LossScale(SGD())),
            "Muon: others has to do with the loss; wrap Muon instead, got LossScale",
        ),
        (lambda: Constant(-1), "Constant: learning_rate is -1"),
        (lambda: Constant(1, warmup=-1), "Constant: warmup is -1, expected a whole number from 0 up"),
        (lambda: Step(0.1, every=0), "Step: every is 0, expected a whole number from 1 up"),
        (lambda: Step(0.1, every=2.0), "Step: every is 2.0"),
        (lambda: Step(0.1, every=2, factor=0), r"Step: factor is 0, expected a number in \(0, inf\)"),
        (lambda: Exponential(0.1, factor=-1), "Exponential: factor is -1"),
        (lambda: Exponential(0.1, factor=1, every=True), "Exponential: every is True"),
        (lambda: Cosine(0.1, steps=0), "Cosine: steps is 0"),
        (lambda: Cosine(0.1, minimum=-1), "Cosine: minimum is -1"),
        (lambda: Cosine(0.1, minimum=0.2), "Cosine: minimum is 0.2, above the learning rate it falls from, 0.1"),
        (lambda: Cosine(0.1, steps=5, warmup=5), "Cosine: warmup is 5 of 5 steps, which leaves none to fall in"),
        (lambda: Cosine(0.1, warmup=5).resolved(3), "Cosine: warmup is 5 of 3 steps"),
        (lambda: Cosine(0.1).settings(), r"Cosine: steps is None, .* use resolved\(total_steps\)"),
        (
            lambda: MultiStep(0.1, []),
            r"MultiStep: milestones is \[\], expected whole numbers that ascend, such as",
        ),
        (lambda: MultiStep(0.1, [3, 3]), r"MultiStep: milestones is \[3, 3\], expected whole numbers that ascend"),
        (lambda: MultiStep(0.1, 30), "MultiStep: milestones is 30, expected whole numbers that ascend"),
        (lambda: MultiStep(0.1, "30"), "MultiStep: milestones is '30', expected whole numbers that ascend"),
        (lambda: MultiStep(0.1, [0, 3]), r"MultiStep: milestones\[0\] is 0, expected a whole number from 1 up"),
        (lambda: MultiStep(0.1, [3], factor=0), "MultiStep: factor is 0"),
        (lambda: Polynomial(0.1, power=0), r"Polynomial: power is 0, expected a number in \(0, inf\)"),
        (
            lambda: Polynomial(0.1, minimum=0.2),
            "Polynomial: minimum is 0.2, above the learning rate it",
        ),
        (lambda: Polynomial(0.1).settings(), r"Polynomial: steps is None, .* use resolved\(total_steps\)"),
        (lambda: Linear(0.1, start_factor=-1), "Linear: start_factor is -1"),
        (lambda: Linear(0.1, end_factor=-1), "Linear: end_factor is -1"),
        (lambda: Linear(0.1, steps=3, warmup=3), "Linear: warmup is 3 of 3 steps, which leaves none"),
        (lambda: InverseTime(0.1, decay=-1), "InverseTime: decay is -1"),
        (lambda: InverseTime(0.1, decay=1, every=0), "InverseTime: every is 0"),
        (lambda: InverseSquareRoot(-1), "InverseSquareRoot: learning_rate is -1"),
        (lambda: InverseSquareRoot.transformer(0), "InverseSquareRoot: width is 0, expected a whole number from 1 up"),
        (lambda: InverseSquareRoot.transformer(8, 0), "InverseSquareRoot: warmup is 0, expected a whole number from 1"),
        (lambda: InverseSquareRoot.transformer(8, factor=-1), "InverseSquareRoot: factor is -1"),
        (lambda: CosineRestarts(0.1, first=0), "CosineRestarts: first is 0"),
        (lambda: CosineRestarts(0.1, 3, multiply=1.5), "CosineRestarts: multiply is 1.5, expected a whole number"),
        (lambda: CosineRestarts(0.1, 3, minimum=1), "CosineRestarts: minimum is 1, above the learning rate"),
        (lambda: CosineRestarts(0.1, 3, factor=0), "CosineRestarts: factor is 0"),
        (lambda: OneCycle(0.1, rise=1), r"OneCycle: rise is 1, expected a number in \[0, 1\)"),
        (lambda: OneCycle(0.1, div_factor=0.5), "OneCycle: div_factor is 0.5"),
        (lambda: OneCycle(0.1, final_div_factor=0.5), "OneCycle: final_div_factor is 0.5"),
        (lambda: Cyclic(0.1, minimum=0.2), "Cyclic: minimum is 0.2, above the learning rate"),
        (lambda: Cyclic(0.1, 0.0, rise=0), "Cyclic: rise is 0"),
        (lambda: Cyclic(0.1, 0.0, fall=0), "Cyclic: fall is 0"),
        (
            lambda: Cyclic(0.1, 0.0, mode="sine"),
            "Cyclic: mode is 'sine', expected 'triangular', 'triangular2' or",
        ),
        (lambda: Cyclic(0.1, 0.0, mode="exp_range", factor=0), "Cyclic: factor is 0"),
        (lambda: Cyclic(0.1, 0.0, factor=0.9), "Cyclic: factor is 0.9, which only mode='exp_range' uses"),
        (lambda: Sequence([Constant(1)], []), r"Sequence: boundaries is \[\], expected whole numbers that ascend"),
        (lambda: Sequence([Constant(1)], [3]), "Sequence: 1 schedules and 1 boundaries; expected one boundary between"),
        (lambda: Sequence(5, [3]), r"Sequence: schedules\[0\] is 5, expected a schedule object"),
        (lambda: Sequence([0.1, Constant(1)], [3]), r"Sequence: schedules\[0\] is 0.1, expected a schedule object"),
        (lambda: Sequence([Constant(1)] * 2, [3], warmup=-1), "Sequence: warmup is -1"),
        (lambda: schedules.get("cosin"), "unknown schedule 'cosin'. Did you mean 'cosine'"),
        (lambda: get("adamm"), "unknown optimizer 'adamm'. Did you mean 'adam'"),
        (lambda: get(Adam), "optimizer must be a name or an object of that kind, got <class"),
        (lambda: get("adam", -1), "Adam: learning_rate is -1"),
        (lambda: from_config({"name": "os.system"}), "unknown optimizer 'os.system'"),
        (lambda: from_config({"learning_rate": 1}), "optimizer: a configuration must be a mapping with a 'name'"),
        (lambda: from_config(["adam"]), "must be a mapping with a 'name', got"),
        (
            lambda: from_config({"name": "adam", "beta": 1, "x": 2}),
            "optimizer 'adam': unknown beta, x; known: amsgrad, betas, eps",
        ),
        (lambda: from_config({"name": "clip_by_global_norm"}), "'clip_by_global_norm': max_norm, optimizer missing"),
        (lambda: from_config({"name": "sgd", "learning_rate": {"name": "no"}}), "unknown schedule 'no'"),
        (lambda: from_config({"name": "sgd", "momentum": {"name": "sgd"}}), "unknown schedule 'sgd'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_open_and_closed_ends():
    check_number("x", "n", 1, "(0, 1]")
    check_number("x", "n", 0, "[0, 1)")
    check_count("x", "n", 3, at_least=3)
    for value, interval in ((0, "(0, 1]"), (1, "[0, 1)"), (2, "[0, 1]")):
        with pytest.raises(ArgumentError, match="expected a number in"):
            check_number("x", "n", value, interval)


def test_schedules_are_named_and_exported():
    for name, made in SCHEDULES.items():
        assert made.name == name
        assert made.__name__ in optimizers.schedules.__all__
