"""Wrong input ends in one message, before any data is read."""

from pathlib import Path

import pytest
import torch

from commands import SHORT, Command
from experiments import Compose
from overnight.config import schema
from overnight.config.errors import ConfigError
from overnight.config.folders import options
from overnight.config.habits import HABITS

WRONG_VALUES = {
    "nothing for a number": (["lr=null"], "lr=null: needed: a number above 0"),
    "a truth for a number": (["lr=true"], "lr=True: needed: a number above 0"),
    "a negative learning rate": (["lr=-1"], "lr=-1: needed: a number above 0"),
    "an infinite learning rate": (["lr=inf"], "lr=inf: needed: a number above 0"),
    "a list with a wrong probability": (["dropout=[0.1,2]"], "dropout=[0.1, 2]: needed: a probability"),
    "no batch": (["data.batch_size=0"], "data.batch_size=0: needed: a whole number, 1 or more"),
    "half a batch": (["data.batch_size=64.5"], "data.batch_size=64.5: needed: a whole number"),
    "a layer of nothing": (["model.hidden_sizes=[0]"], "model.hidden_sizes=[0]: needed: a list of whole"),
    "a number for a list": (["model.hidden_sizes=64"], "model.hidden_sizes=64: needed: a list of whole"),
    "a negative seed": (["seed=-1"], "seed=-1: needed: a whole number"),
    "no epochs": (["trainer.max_epochs=0"], "trainer.max_epochs=0: needed: a whole number, 1 or more"),
    "a negative weight decay": (["weight_decay=-0.1"], "weight_decay=-0.1: needed: a number, 0 or more"),
    "a negative l1": (["l1=-1"], "l1=-1: needed: a number, 0 or more"),
    "all of the label smoothed": (["label_smoothing=1"], "label_smoothing=1: needed: a share"),
    "an empty validation": (["data.val_size=0"], "data.val_size=0: needed: a whole number of samples, 1"),
    "a name with a slash": (["task_name='a/b'"], "task_name=a/b"),
    "fewer than no retries": (["retries=-1"], "retries=-1: needed: a whole number, 0 or more"),
    "another end": (["on_failure=stop"], "on_failure=stop: needed: continue or raise"),
    "a word for a list of settings": (["study.scientific=lr"], "study.scientific=lr: needed: a list of"),
    "a setting with two parts": (["study.scientific=[lr]", "study.nuisance=[lr]"], "both have lr: needed"),
    "a word for a truth": (["track_test=maybe"], "track_test=maybe: needed: true or false"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_a_wrong_value_is_refused(arguments: list[str], message: str, compose: Compose) -> None:
    with pytest.raises(ConfigError) as refused:
        schema.check(compose(*SHORT, *arguments))
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


WRONG = {
    "a word for a number": (["lr=abc"], "lr=abc: needed: a number above 0. Type for example: lr=0.001"),
    "a probability above 1": (["dropout=1.5"], "dropout=1.5: needed: a probability"),
    "a choice without -m": (["lr=choice(0.1,0.2)"], "several values. Needed: one, or a list in brackets, or"),
    "a list of the wrong length": (["dropout=[0.1,0.2,0.3]"], "has 3 values for 2 hidden layers"),
    "a fold that is not there": (["data.folds=5", "data.fold=5"], "data.fold=5 with data.folds=5"),
    "a misspelt key of the study": (
        ["+study.nuisence=[lr]"],
        "study.nuisence: there is no such key. Did you",
    ),
    "a momentum that torch refuses": (
        ["optimizer=sgd", "optimizer.momentum=-1"],
        "optimizer: Invalid momentum",
    ),
    "a misspelt option": (["optimizer=adm"], "optimizer=adm: there is no such option. Did you mean adam?"),
    "a misspelt option in a list": (
        ["regularization=[dropout,batchnorm]"],
        "regularization=batchnorm: there is no such option. Did you mean batch_norm?",
    ),
    "a misspelt experiment": (["experiment=optimisers"], "Did you mean optimizers?"),
    "a misspelt group": (["optimiser=adam"], "optimiser: there is no such key. Did you mean optimizer?"),
    "a misspelt group without a key": (["experimnt=init"], "Did you mean experiment?"),
    "a habit": (["train=false"], "train: there is no such key. Every run trains"),
    "an option by habit": (["logger=many_loggers"], "Type for example: logger=[tensorboard,csv]"),
    "a key that another option has": (["optimizer.momentum=0.9"], "Needed with it: optimizer=momentum or"),
    "a part that another option has": (
        ["callbacks.early_stopping.patience=3"],
        "Needed with it: regularization=early_stopping",
    ),
    "a text that needs quotes": (["task_name=a=b"], "Needed: quotes. Type: 'task_name=\"a=b\"'"),
    "a key less that others refer to": (["~l1"], "refers to ${l1}, and there is no such key. Needed: l1, in"),
    "a part that is added": (["callbacks.swa=1"], "To add it, type a plus: +callbacks.swa=VALUE"),
    "a key of another class": (
        ["loss.train._target_=torch.nn.MultiMarginLoss"],
        "To leave it out, type: ~loss.train.label_smoothing",
    ),
    "an optimizer that is not called later": (["~optimizer._partial_"], "optimizer: Adam"),
    "the second name of a part": (
        ["model.activation={_target_:torch.nn.Tanh,_partial_:true}"],
        "In the file of an option, write activation: ${activation.module}",
    ),
    "the second name of a value": (["optimizer.lr=0.1"], "Needed: lr alone, which optimizer.lr follows"),
    "a misspelt key": (["lrr=0.1"], "lrr: there is no such key. Did you mean lr?"),
    "a misspelt key of a group": (["trainer.max_epoch=3"], "Did you mean max_epochs?"),
    "a misspelt key that is added": (["+lrr=0.1"], "lrr: there is no such key. Did you mean lr?"),
    "a misspelt argument that is added": (["+trainer.max_epoch=3"], "Did you mean max_epochs?"),
    "no value": (["lr"], "lr: cannot be read. Needed: KEY=VALUE"),
    "an open bracket": (["dropout=[0.1"], "dropout=[0.1: cannot be read"),
    "an interpolation of nothing": (["optimizer.lr=${nix}"], "optimizer.lr refers to ${nix}, and"),
    "a sweep over a misspelt option": (["-m", "optimizer=sgd,adm"], "Did you mean adam?"),
    "a checkpoint that is not there": (["ckpt_path=nowhere.ckpt"], "ckpt_path=nowhere.ckpt"),
}


@pytest.mark.usefixtures("unread_data")
@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_ends_in_one_message_before_data_is_read(
    arguments: list[str], message: str, command: Command
) -> None:
    result = command("train.py", *SHORT, *arguments)
    assert result.status == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_no_habit_is_a_key_or_an_option_here(compose: Compose) -> None:
    config = compose()
    keys = {key for key in HABITS if "=" not in key}
    assert not [key for key in keys if schema.at(config, key) is not None]
    chosen = [key.split("=") for key in HABITS.keys() - keys]
    assert not [option for group, option in chosen if option in options(group)]


@pytest.mark.parametrize("text", ["lr: 0.5", ""], ids=["no package", "empty"])
def test_a_prepared_experiment_that_sets_nothing_has_a_remedy(
    text: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    result = command("train.py", *SHORT, f"--config-dir={tmp_path}", "experiment=mine")
    assert result.status == 1
    assert "experiment=mine: nothing takes" in result.stderr
    assert "first line: # @package _global_" in result.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.usefixtures("unread_data")
def test_a_missing_gpu_has_a_remedy(command: Command) -> None:
    result = command("train.py", *SHORT, "trainer=gpu")
    assert result.status == 1
    assert "trainer with accelerator=gpu: No supported gpu backend found. Needed" in result.stderr
    assert "Type for example: trainer=default" in result.stderr


def test_a_sweep_over_nothing_is_refused(command: Command) -> None:
    refused = command("train.py", "-m", "lr=range(5,1)")
    assert refused.status == 1
    assert "the sweep has no jobs. Needed: a list, a range or a glob that gives values" in refused.stderr
