"""What is known of the last training, as the JSON text in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnkit import losses, optimizers
from nnkit.checkpoint.architecture import check_keys

if TYPE_CHECKING:
    from nnkit.network import Network

Config = dict[str, Any]


def training(network: Network) -> Config:
    """Loss and optimiser of the last ``fit`` by their configurations; null for what is not known."""
    loss = None if network._loss == "auto" else losses.get(network._loss).config()
    return {"loss": _kept(loss, losses.from_config), "optimizer": _kept(network._optimizer, optimizers.from_config)}


def check_training(found: Any) -> None:
    """Refuse what ``training`` does not give; ValueError says why."""
    check_keys(found, {"loss", "optimizer"})
    for entry, make in (("loss", losses.from_config), ("optimizer", optimizers.from_config)):
        config = found[entry]
        if config is not None and not is_own(config) and make(config).config() != config:
            raise ValueError(f"has {entry} {config!r}, which is not what nnkit writes")


def is_own(config: Any) -> bool:
    """Whether a configuration is of a class of the user's, of which the file has the name alone."""
    return isinstance(config, dict) and config.keys() == {"name", "custom"} and isinstance(config["name"], str)


def _kept(config: Mapping[str, Any] | None, make: Callable[[Mapping[str, Any]], Any]) -> Config | None:
    """The configuration, or the name alone when nnkit cannot make the object from it."""
    if config is None:
        return None
    try:
        known = make(config).config() == config
    except (ValueError, TypeError):
        known = False
    return dict(config) if known else {"name": str(config["name"]), "custom": True}
