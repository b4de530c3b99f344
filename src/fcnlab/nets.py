"""The fully connected network: dense layers only, as many and as wide as asked for."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

Initializer = Callable[[Tensor], object]
"""Fills a tensor in place, as the functions of ``torch.nn.init`` do."""


class HiddenLayer(nn.Sequential):
    """Dense layer, normalization, activation, dropout: [batch, inputs] to [batch, outputs]."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: Callable[[], nn.Module],
        normalization: Callable[[int], nn.Module],
        dropout: float,
    ) -> None:
        super().__init__(
            OrderedDict(
                linear=nn.Linear(inputs, outputs),
                normalization=normalization(outputs),
                activation=activation(),
                dropout=nn.Dropout(dropout),
            )
        )


class ResidualBlock(nn.Module):
    """Inverted bottleneck with a skip connection: [batch, inputs] to [batch, outputs].

    x + W2 dropout(activation(W1 normalization(x))), where W1 widens to ``expansion`` times the outputs, as in
    Bachmann et al. 2023, arXiv:2306.13575. Where inputs and outputs differ in number, the skip connection is
    a dense layer without activation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: Callable[[], nn.Module],
        normalization: Callable[[int], nn.Module],
        dropout: float,
        expansion: int = 4,
    ) -> None:
        super().__init__()
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)
        self.normalization = normalization(inputs)
        self.widen = nn.Linear(inputs, expansion * outputs)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.narrow = nn.Linear(expansion * outputs, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum of both ways."""
        hidden = self.activation(self.widen(self.normalization(inputs)))
        summed: Tensor = self.skip(inputs) + self.narrow(self.dropout(hidden))
        return summed


class FCN(nn.Module):
    """Hidden layers and a dense output layer: [batch, ...] to logits [batch, out_features].

    ``hidden_sizes=[]`` is softmax regression. ``dropout`` is one probability for all hidden layers or a
    list with one for each; ``input_dropout`` is that of the input. The initializers are applied to every
    dense layer, the output layer included. ``hidden_layer`` makes each hidden layer: a ``HiddenLayer`` or a
    ``ResidualBlock``.

    Raises:
        ValueError: a list of dropouts is not as long as the list of hidden layers.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        hidden_sizes: Sequence[int],
        activation: Callable[[], nn.Module],
        normalization: Callable[[int], nn.Module],
        dropout: float | Sequence[float],
        input_dropout: float,
        weight_init: Initializer,
        bias_init: Initializer,
        hidden_layer: Callable[..., nn.Module] = HiddenLayer,
    ) -> None:
        super().__init__()
        sizes = [in_features, *hidden_sizes]
        dropouts = one_for_each(dropout, len(hidden_sizes))
        self.input_dropout = nn.Dropout(input_dropout)
        self.hidden = nn.Sequential(
            *(
                hidden_layer(inputs, outputs, activation, normalization, probability)
                for (inputs, outputs), probability in zip(pairwise(sizes), dropouts, strict=True)
            )
        )
        self.output = nn.Linear(sizes[-1], out_features)
        for layer in self.dense_layers():
            weight_init(layer.weight)
            bias_init(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Flatten the images to [batch, in_features] and return the logits."""
        logits: Tensor = self.output(self.hidden(self.input_dropout(images.flatten(1))))
        return logits

    def dense_layers(self) -> list[nn.Linear]:
        """Return the dense layers, from the input to the output."""
        return [module for module in self.modules() if isinstance(module, nn.Linear)]


def one_for_each(dropout: float | Sequence[float], layers: int) -> list[float]:
    """Return one dropout probability for each of the hidden layers."""
    if not isinstance(dropout, Sequence):
        return [dropout] * layers
    if len(dropout) != layers:
        example = ",".join(["0.5"] * layers)
        raise ValueError(
            f"dropout={list(dropout)} has {len(dropout)} values for {layers} hidden layers. "
            f"Needed: one probability, or one for each hidden layer. "
            f"Type for example: dropout=0.5 or dropout=[{example}]"
        )
    return list(dropout)
