"""What is known of the last training, as the JSON text in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nnkit import losses, optimizers
from nnkit.checkpoint.architecture import check_keys
from nnkit.checkpoint.compare import difference
from nnkit.losses import Loss
from nnkit.optimizers import Optimizer

if TYPE_CHECKING:
    from nnkit.network import Network

Config = dict[str, Any]


class Training(NamedTuple):
    """Loss and optimiser of the last ``fit``; None for what is not known."""

    loss: Loss | None
    optimizer: Optimizer | None
    own_loss: str | None = None
    """Name of a loss of the user's own, of which the file has the name alone."""

    @classmethod
    def of(cls, network: Network) -> Training:
        """That of a network."""
        return cls(None if network._loss == "auto" else losses.get(network._loss), network._optimizer)

    def to_dict(self) -> dict[str, Config | None]:
        """Plain data for JSON."""
        return {
            "loss": _kept(self.loss, losses.from_config),
            "optimizer": _kept(self.optimizer, optimizers.from_config),
        }

    @classmethod
    def from_dict(cls, found: Any) -> Training:
        """What ``to_dict`` gave, after JSON; ValueError says what is wrong with it."""
        check_keys(found, {"loss", "optimizer"})
        loss: Loss | None = _made(found["loss"], losses.from_config, "loss")
        optimizer: Optimizer | None = _made(found["optimizer"], optimizers.from_config, "optimizer")
        return cls(loss, optimizer, found["loss"]["name"] if _is_own(found["loss"]) else None)


def _kept(thing: Any, make: Callable[[Mapping[str, Any]], Any]) -> Config | None:
    """The configuration; of an object that it does not bring back, a class of the user's, the name alone."""
    if thing is None:
        return None
    config: Config = thing.config()
    try:
        known = make(config) == thing
    except (ValueError, TypeError):
        known = False
    return config if known else {"name": str(config["name"]), "custom": True}


def _made(config: Any, make: Callable[[Mapping[str, Any]], Any], entry: str) -> Any:
    if config is None or _is_own(config):
        return None
    try:
        made = make(config)
    except (ValueError, TypeError) as error:
        raise ValueError(f"has no {entry} that can be made: {error}") from error
    if odd := difference(config, made.config(), entry):
        raise ValueError(f"has at {odd} what nnkit does not write")
    return made


def _is_own(config: Any) -> bool:
    return isinstance(config, dict) and config.keys() == {"name", "custom"} and isinstance(config["name"], str)
