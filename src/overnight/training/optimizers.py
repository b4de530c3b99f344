"""What is done with every optimizer, whatever its class."""

from collections.abc import Callable

from torch import nn
from torch.optim import Optimizer

from overnight.config.errors import ConfigError


def decay_matrices(optimizer: Optimizer) -> Optimizer:
    """Let weight decay, where it is on, apply to weight matrices only: not to biases, scales and shifts."""
    (group,) = optimizer.param_groups
    if group.get("weight_decay"):
        others = [parameter for parameter in group["params"] if parameter.ndim < 2]  # noqa: PLR2004
        group["params"] = [parameter for parameter in group["params"] if parameter.ndim > 1]
        optimizer.add_param_group({"params": others, "weight_decay": 0.0})
    return optimizer


def refuse_optimizer(optimizer: Callable[..., Optimizer], net: nn.Module) -> None:
    """Build the optimizer once, so that a wrong setting is refused before any data is read (ConfigError)."""
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ConfigError(
            f"{type(net).__name__}: it has no parameters that are trained. Needed: at least one layer with "
            f"weights, kept as an attribute or in a torch.nn.ModuleList"
        )
    try:
        optimizer(net.parameters())
    except (TypeError, ValueError) as error:
        given = getattr(optimizer, "keywords", {})
        raise ConfigError(
            f"optimizer: {error}. Given: {given}. Needed: what this optimizer takes. "
            f"Type for example: optimizer=adam, and no optimizer.KEY=VALUE"
        ) from error
