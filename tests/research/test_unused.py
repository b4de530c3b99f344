"""A hyperparameter that is set and that nothing takes is refused: a record that names it would be untrue."""

from contextlib import nullcontext

import pytest

from commands import ROOT, every
from experiments import compose_once
from overnight.config.errors import ConfigError
from overnight.config.unused import refuse_undirected, refuse_unused

REFUSED = {
    "~model.activation activation=tanh": ("activation: set, but", "as model=fcn does"),
    "~model.activation activation=relu": ("activation: set, but", "as model=fcn does"),
    "~model.activation activation.module._target_=torch.nn.ELU": (
        "activation: set, but",
        "as model=fcn does",
    ),
    "~model.dropout regularization=dropout": ("dropout: set, but", "as model=fcn does"),
    "~model.normalization regularization=batch_norm": ("normalization: set, but", "as model=fcn does"),
    "~model.weight_init ~model.bias_init init=zeros": ("init: set, but", "as model=fcn does"),
    "~optimizer.weight_decay weight_decay=0.1": ("weight_decay: set, but", "as optimizer=adam does"),
    "optimizer.lr=0.1 lr=0.01": ("lr: set, but", "as optimizer=adam does"),
    "~loss.train.label_smoothing label_smoothing=0.1": ("label_smoothing: set", "as loss=cross_entropy does"),
    "~task.penalty l1=0.1": ("l1: set, but", "choose parts that take it"),
}

TAKEN = (
    "~model.activation",
    "~model.activation init=kaiming_normal activation=tanh",
    "~model.dropout regularization=[weight_decay,early_stopping] data=mnist data.root=/elsewhere trainer=cpu",
    "regularization=none task_name=mine metrics=f1 augmentation=flip loss=mse",
    "metrics=regression loss=mse",
)


@pytest.mark.parametrize("settings", every(2, REFUSED))
def test_what_nothing_takes_is_refused(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as refused:
        check(settings, monkeypatch)
    for words in REFUSED[settings]:
        assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("settings", TAKEN)
def test_what_something_takes_may_be_set(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(settings, monkeypatch)


def check(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(ROOT / "train.py")])
    job, hydra_config = compose_once(*settings.split())
    refuse_unused(job, hydra_config.hydra)


@pytest.mark.parametrize(
    ("mode", "overrides", "refused"),
    [
        pytest.param("max", {"metric"}, True, id="of an option's file"),
        pytest.param("max", {"metric", "mode"}, False, id="typed"),
        pytest.param("min", {"metric"}, False, id="of the main file"),
        pytest.param("max", set(), False, id="with the metric of its file"),
        pytest.param(None, {"metric"}, False, id="refused by the schema"),
    ],
)
def test_a_metric_is_not_chosen_by_with_the_mode_of_another(
    mode: str | None, overrides: set[str], refused: bool
) -> None:
    with pytest.raises(ConfigError, match="mode=max is stated for another") if refused else nullcontext():
        refuse_undirected({"metric": "val/loss", "mode": mode}, {"mode": "min"}, overrides)
