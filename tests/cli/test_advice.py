"""Which commands are suggested after which training."""

from __future__ import annotations

import shlex
from argparse import Namespace
from typing import Any

from nnkit.cli.advice import next_commands
from nnkit.cli.entry import COMMANDS


def _flags(words: str) -> Namespace:
    return COMMANDS["train"].parsed(shlex.split(words))


def _advice(
    words: str, train: float | None = None, test: float | None = None, losses: tuple[float, ...] = (), **more: Any
) -> list[str]:
    flags = _flags(words)
    result = {name: {"accuracy": value} for name, value in (("train", train), ("test", test))}
    return next_commands(flags, {"result": result, "history": {"val_loss": list(losses)}}, **more)


def test_good_digits_lead_to_mnist() -> None:
    assert _advice("", 1.0, 0.97) == [
        "nnkit train --save digits-net.h5",
        "nnkit train --data mnist --hidden 128 64 --epochs 5",
        "nnkit explain",
    ]


def test_a_saved_network_is_used() -> None:
    assert _advice("--data moons --save 'my net.h5'", 0.9, 0.9) == [
        "nnkit test 'my net.h5' --data moons",
        "nnkit train --data moons --hidden 128 64",
        "nnkit explain 'my net.h5'",
    ]


def test_a_file_leads_to_predictions() -> None:
    words = "--data a.csv --target y --save a.h5"
    assert _advice(words)[0] == "nnkit predict a.h5 --data a.csv --output predictions.csv"
    assert _advice("--data a.csv --target y")[0] == "nnkit train --data a.csv --target y --save a-net.h5"


def test_overfitting_leads_to_dropout() -> None:
    assert _advice("--data moons", 1.0, 0.8)[1] == "nnkit train --data moons --dropout 0.2"
    assert _advice("--data moons --dropout 0.2", 1.0, 0.8)[1] == (
        "nnkit train --data moons --dropout 0.2 --hidden 128 64"
    )


def test_a_loss_that_still_falls_leads_to_more_epochs() -> None:
    assert _advice("--epochs=5 --record r.json", 0.6, 0.5, (3.0, 2.0))[1] == "nnkit train --epochs 10"
    assert _advice("--epochs 5", 0.6, 0.6, (2.0, 3.0))[1] == "nnkit train --epochs 5 --hidden 128 64"


def test_an_interrupted_training_with_a_checkpoint_goes_on() -> None:
    flags = _flags("--data=-a.csv --target y --hidden 8 --save a.h5 --checkpoint run.h5 --every '1 min'")
    found = next_commands(flags, {"result": {}, "history": {}, "interrupted": True})
    assert found == ["nnkit resume run.h5 --data=-a.csv --target y --save a.h5"]


def test_another_training_leaves_the_checkpoint_alone() -> None:
    found = _advice("--data moons --checkpoint run.h5 --every '1 min'")
    assert found[:2] == [
        "nnkit train --data moons --save moons-net.h5",
        "nnkit train --data moons --hidden 128 64",
    ]


def test_values_that_look_like_options_are_joined_to_theirs() -> None:
    for command in _advice("--data=-a.csv --target=-y --save a.h5")[:2]:
        assert "--data=-a.csv" in command


def test_no_hidden_layer_leads_to_one() -> None:
    assert _advice("--data sine --hidden")[1] == "nnkit train --data sine --hidden 64"


def test_divergence_leads_to_a_smaller_learning_rate() -> None:
    assert _advice("--learning-rate 5", diverged=True)[0] == "nnkit train --learning-rate 0.5"


def test_what_only_training_knows_is_left_out_of_explain() -> None:
    words = "--data moons --hidden 8 8 --activation tanh --epochs 3 --seed 4 --patience 2 --batch-size 16"
    assert _advice(words)[2] == "nnkit explain --data moons --hidden 8 8 --activation tanh --batch-size 16"
