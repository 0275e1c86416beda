"""``nnkit train``: build a network from flags, train it, test it, and say what came of it."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, Namespace

from nnkit import optimizers
from nnkit.cli import advice, output, resume
from nnkit.cli.architecture import described, device, for_data
from nnkit.cli.command import Command
from nnkit.cli.ending import about, keep
from nnkit.cli.failures import FAILURE, INTERRUPTED, explained, say, shown
from nnkit.cli.flags import (
    add_architecture,
    add_data,
    add_device,
    add_memory_limit,
    add_metrics,
    add_precision,
    file,
    loaded,
    names,
    number,
    whole,
)
from nnkit.cli.places import check_writable
from nnkit.data import Dataset
from nnkit.errors import ArgumentError
from nnkit.measure import table
from nnkit.network import Network
from nnkit.optimizers import Optimizer
from nnkit.optimizers.schedules import Cosine
from nnkit.training.asked import Asked
from nnkit.training.callbacks import Callback, EarlyStopping, Training
from nnkit.training.callbacks.period import Period
from nnkit.training.interrupt import Interruption
from nnkit.training.objective import objective
from nnkit.training.result import Scores, TrainingRun

RATE = 0.003


def _add_flags(parser: ArgumentParser) -> None:
    add_data(parser, "digits")
    add_architecture(parser)
    parser.add_argument(
        "--learning-rate",
        type=number(),
        default=RATE,
        metavar="RATE",
        help=f"default: {RATE}, and 1 for lbfgs, whose search begins with it",
    )
    parser.add_argument(
        "--schedule",
        choices=("cosine", "constant"),
        default="cosine",
        help="whether the learning rate falls to 0 along half a cosine wave, or stays (default: cosine)",
    )
    parser.add_argument("--epochs", type=whole(0), default=30, metavar="N", help="passes over the data (default: 30)")
    parser.add_argument(
        "--validation-split",
        type=number(1),
        default=0.1,
        metavar="SHARE",
        help="share of the training rows that is kept for validation (default: 0.1)",
    )
    parser.add_argument(
        "--time-ordered",
        action="store_true",
        help="keep the last rows for validation, and of a file for testing, instead of rows drawn at random",
    )
    parser.add_argument(
        "--standardize",
        action="store_true",
        help="give each column, and targets that are numbers, mean 0 and deviation 1 while the network learns, as is "
        "done for CSV files anyway; predictions are in the units of the targets",
    )
    parser.add_argument(
        "--patience", type=whole(1), metavar="N", help="stop when the validation loss is not better for N epochs"
    )
    add_metrics(parser)
    add_device(parser)
    parser.add_argument(
        "--compile", choices=("auto", "first", "off"), default="auto", help="faster step code (default: auto)"
    )
    add_memory_limit(parser)
    add_precision(parser)
    parser.add_argument("--save", type=file, metavar="FILE", help="write the trained network to an HDF5 file")
    parser.add_argument("--record", type=file, metavar="FILE", help="write the run's record as JSON")
    parser.add_argument(
        "--checkpoint",
        type=file,
        metavar="FILE",
        help="write the training to this file while it goes on; 'nnkit resume FILE' goes on from there",
    )
    parser.add_argument("--every", metavar="PERIOD", help="how often: '1 epoch' (the default), '500 steps', '10 min'")
    parser.add_argument(
        "--resume", type=file, metavar="FILE", help="go on from a checkpoint instead, as 'nnkit resume FILE' does"
    )
    parser.add_argument("--quiet", action="store_true", help="print the accuracy only")


def run(flags: Namespace) -> int:
    """Everything that can be refused is refused before training; what was trained is kept whatever comes after."""
    if flags.resume is not None:
        return resume.instead(flags)
    check_writable(flags.data, save=flags.save, record=flags.record, checkpoint=flags.checkpoint)
    if flags.every is not None and flags.checkpoint is None:
        raise ArgumentError("--every says how often to write a checkpoint; name its file with --checkpoint")
    if flags.every is not None:
        Period.of("--checkpoint", flags.every)  # refuses what is no period
    early = _early_stopping(flags)
    optimizer = _optimizer(flags)
    place = device(flags.device)
    dataset = loaded(flags)
    network = for_data(flags, dataset, place)
    _check_metrics(flags, network)
    lost = [] if flags.quiet else shown(_intention(flags, dataset, network, optimizer))
    with Interruption() as interruption:  # Ctrl-C after training must not cost the files
        before = _Before(interruption)
        trained = _fit(flags, dataset, network, optimizer, [before, *early])
        if before.came:
            flags.save = None
        scores, failures = keep(flags, dataset, trained)
    interrupted = trained.interrupted or interruption.wanted
    diverged = _diverged(trained, early)
    failures += lost + shown(_report(flags, trained, scores, diverged))
    for failure in failures:
        say(explained(failure)[1])
    if interrupted:
        say(f"interrupted after {output.counted(trained.record.training['epochs_done'], 'whole epoch')}")
        return INTERRUPTED
    return FAILURE if failures or diverged else 0


def _optimizer(flags: Namespace) -> Optimizer:
    """With a rate that falls; one that searches for its steps has no schedule, and by default a rate of its own."""
    chosen = optimizers.get(flags.optimizer)
    if chosen.by_steps:
        rate = Cosine(flags.learning_rate) if flags.schedule == "cosine" else flags.learning_rate
        return optimizers.get(flags.optimizer, rate)
    return chosen if flags.learning_rate == RATE else optimizers.get(flags.optimizer, flags.learning_rate)


class _Before(Callback):
    """Ctrl-C while the data were prepared: it ends the training that begins, which is then not worth a network."""

    lasting = False

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self.came = False

    def begin(self, training: Training) -> None:
        self.came = self._interruption.wanted
        if self.came:
            signal.raise_signal(signal.SIGINT)  # to the training, which has begun to listen


def _early_stopping(flags: Namespace) -> list[EarlyStopping]:
    if flags.patience is None:
        return []
    if not flags.validation_split:
        raise ArgumentError("--patience watches the validation loss; --validation-split must then be more than 0")
    return [EarlyStopping(patience=flags.patience)]


def _check_metrics(flags: Namespace, network: Network) -> None:
    """Refuse what the network or the flags do not allow."""
    asked = Asked.of(flags.metrics, objective(network.module, flags.loss), network._model.layout)
    for metric in asked.metrics:
        if metric.running is None and not flags.validation_split:
            raise ArgumentError(
                f"--metrics {metric.name} needs all rows at once, so training has it for validation rows only; "
                "--validation-split must then be more than 0"
            )


def _intention(flags: Namespace, dataset: Dataset, network: Network, optimizer: Optimizer) -> str:
    """What is going to happen."""
    kind = "numbers" if dataset.classes is None else f"{len(dataset.classes)} classes"
    share = f" ({100 * flags.validation_split:.3g} % of them for validation)" if flags.validation_split else ""
    rows = f"{output.counted(len(dataset.x_train), 'row')} for training{share}, {len(dataset.x_test):,} for testing"
    rate = flags.learning_rate if optimizer.by_steps else optimizer.learning_rate
    falling = " falling to 0" if flags.schedule == "cosine" and optimizer.by_steps else ""
    batches = f"batches of {flags.batch_size}" if optimizer.by_steps else "all rows at once"
    lines = {
        "data": f"{dataset.name}: {rows}, {kind}",
        "network": described(network),
        "training": f"{output.counted(flags.epochs, 'epoch')}, {batches}, {flags.optimizer} at {rate:g}{falling}, "
        f"seed {flags.seed}",
        "device": network.device,
    }
    return "\n".join(output.line(label, text) for label, text in lines.items())


def _fit(
    flags: Namespace, dataset: Dataset, network: Network, optimizer: Optimizer, callbacks: list[Callback]
) -> TrainingRun:
    trained = network.fit(
        dataset.x_train,
        dataset.y_train,
        epochs=flags.epochs,
        batch_size=flags.batch_size,
        optimizer=optimizer,
        loss=flags.loss,
        validation_split=flags.validation_split,
        callbacks=callbacks,
        metrics=flags.metrics,
        compile=flags.compile,
        memory_limit=flags.memory_limit,
        time_ordered=flags.time_ordered,
        standardize=flags.standardize or dataset.features is not None,
        precision=flags.precision,
        checkpoint=flags.checkpoint,
        every=flags.every,
        progress=not flags.quiet,
    )
    return about(trained, dataset)


def _diverged(trained: TrainingRun, early: list[EarlyStopping]) -> bool:
    """Whether training ended before its time for another reason than patience: the guard refused a step."""
    done = trained.record.training["epochs_done"]
    return trained.record.stopped is not None and not any(done - each.best_epoch >= each.patience for each in early)


def _report(flags: Namespace, trained: TrainingRun, scores: Scores | None, diverged: bool) -> str:
    result = [] if scores is None else [output.scores_text(scores, names(flags.metrics))]
    if flags.quiet:
        return "\n".join(result)
    record = trained.to_dict()
    written = [f"{what} {path}" for what, path in (("network", flags.save), ("record", flags.record)) if path]
    lines = ["", table(record, output.width(), output.colour(), trained.doctor())]
    lines += [output.line("written", ", ".join(written))] if written else []
    lines += ["", *(output.wrap(f"test {text}") for text in result), "", "what to try next:"]
    return "\n".join([*lines, *(f"  {command}" for command in advice.next_commands(flags, record, diverged))])


COMMAND = Command(
    "train",
    "Train a network on a data set, test it, and show what it learned, how fast, and what that took.",
    (
        "nnkit train",
        "nnkit train --data digits --hidden 64 32 --activation relu tanh --epochs 10 --save digits.h5",
        "nnkit train --data iris.csv --target species --hidden 16 --save iris.h5 --record iris.json",
        "nnkit train --data moons --hidden 16 16 --dropout 0.1 --patience 5 --quiet",
        "nnkit train --data blobs --hidden 16 --metrics f1_macro roc_auc log_loss",
        "nnkit train --data sine --hidden 32 32 --activation tanh --optimizer rmsprop --record rmsprop.json",
        "nnkit train --data sine --hidden 32 32 --activation tanh --optimizer adam --record adam.json",
        "nnkit train --data sine --hidden 32 32 --activation tanh --optimizer sgd --record sgd.json",
        "nnkit train --data mnist --hidden 128 64 --epochs 5 --batch-size 128 --checkpoint mnist.h5 --every '1 min'",
    ),
    _add_flags,
    run,
)
