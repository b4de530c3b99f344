"""The commands as a person types them; what goes wrong ends in one message."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from commands import CONF, ROOT, SHORT, Command, environment
from experiments import Compose
from overnight.config import schema
from overnight.config.errors import ConfigError
from overnight.config.folders import SHIPPED, options
from overnight.config.habits import HABITS

ONLY_FOR_SWEEPS = {
    *("optuna", "joblib", "cloudpickle", "submitit", "ray", "overnight.launchers"),
    "pandas",
}

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
    "a model without what others refer to": (["~model.out_features"], "Needed: model.out_features, in the"),
    "an optimizer that is not called later": (["~optimizer._partial_"], "optimizer: Adam"),
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


FOREIGN = {
    "nothing": None,
    "text": b"not a checkpoint",
    "an empty file": b"",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_eval_refuses_a_file_that_is_no_checkpoint(
    content: bytes | None, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "some.ckpt"
    if content is not None:
        path.write_bytes(content)
    result = command("eval.py", f"ckpt_path={path}")
    assert result.status == 1
    assert result.stderr.startswith(f"Error: ckpt_path={path}")
    assert "Traceback" not in result.stderr


def test_eval_refuses_a_checkpoint_of_another_program(command: Command, tmp_path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, tmp_path / "other.ckpt")
    result = command("eval.py", f"ckpt_path={tmp_path / 'other.ckpt'}")
    assert result.status == 1
    assert "is a file of something else" in result.stderr


@pytest.mark.parametrize("typed", ["data=synthetic", "+data=mnist", "+foo=1", "foo=1"])
def test_eval_refuses_a_key_that_it_would_not_read(typed: str, command: Command) -> None:
    result = command("eval.py", "ckpt_path=best.ckpt", typed)
    assert result.status == 1
    assert re.match(r"Error: \w+: (eval.py has|there is) no such (key|group)\. .*data_root", result.stderr)


def test_eval_needs_a_checkpoint(command: Command) -> None:
    result = command("eval.py")
    assert result.status == 1
    assert "ckpt_path: a value is missing" in result.stderr


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_sweep_then_measure_the_winner_with_the_printed_command(command: Command, tmp_path: Path) -> None:
    sweep = command("train.py", "-m", "optimizer=sgd,adam", "lr=0.001,0.01", "task_name=four", *SHORT)
    assert (sweep.status, sweep.stderr) == (0, "")
    directory = tmp_path / "outputs" / "sweeps" / "four"
    records = [json.loads(path.read_text()) for path in directory.glob("*/run.json")]
    assert {record["status"] for record in records} == {"completed"}
    assert len({record["name"] for record in records}) == 4
    assert sum("val/acc" in line and "/4" in line for line in sweep.stdout.splitlines()) == 4
    assert len(rows_of(directory / "results.csv")) == 4

    measure = next(line for line in sweep.stdout.splitlines() if line.startswith("measure: "))
    checkpoint = measure.split()[-1]
    best = json.loads(
        (tmp_path / checkpoint.removeprefix("ckpt_path=")).parents[1].joinpath("run.json").read_text()
    )
    assert best["best"]["val/acc"] == max(record["best"]["val/acc"] for record in records)
    measured = command("eval.py", checkpoint, "predictions=predicted.csv")
    assert (measured.status, measured.stderr) == (0, "")
    assert f"{best['best']['test/acc']:.4f}" in measured.stdout
    rows = rows_of(tmp_path / "predicted.csv")
    accuracy = sum(row["target"] == row["prediction"] for row in rows) / len(rows)
    assert accuracy == pytest.approx(best["best"]["test/acc"], abs=1e-6)
    assert all(sum(float(row[f"p_{c}"]) for c in range(10)) == pytest.approx(1, abs=1e-4) for row in rows)


@pytest.mark.slow
def test_an_interrupted_run_says_so_and_records_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *SHORT, "trainer.max_epochs=100000", "task_name=long"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        log = tmp_path / "outputs" / "runs" / "long" / "train.log"
        while process.poll() is None and not (log.exists() and "epoch 3" in log.read_text()):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.strip().startswith("Interrupted")
    assert not (log.parent / "run.json").exists()


def test_a_run_in_a_process_of_its_own_is_quiet_and_imports_nothing_that_only_sweeps_need(
    tmp_path: Path,
) -> None:
    code = (
        f"import runpy, sys; sys.argv = {['train.py', *SHORT, 'trainer.max_epochs=1']}\n"
        f"runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')\n"
        f"unneeded = {ONLY_FOR_SWEEPS} & sys.modules.keys()\n"
        "assert not unneeded, unneeded"
    )
    answer = in_a_process(code, tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")


QUESTIONS = ["--help"], ["--cfg=job"], ["--shell-completion", "install=bash"]


@pytest.mark.parametrize("script", ["train.py", "eval.py"])
def test_questions_are_answered_without_torch(script: str) -> None:
    code = (
        "import runpy, sys\n"
        f"for question in {QUESTIONS}:\n"
        f"    sys.argv = ['{script}', *question]\n"
        f"    try: runpy.run_path('{script}', run_name='__main__')\n"
        "    except SystemExit: pass\n"
        f"unneeded = {ONLY_FOR_SWEEPS | {'torch', 'scipy', 'matplotlib', 'filelock'}} & sys.modules.keys()\n"
        "assert not unneeded, unneeded"
    )
    answer = in_a_process(code, ROOT)
    assert answer.returncode == 0, answer.stderr


def in_a_process(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run some Python in a folder."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_option_and_key(command: Command) -> None:
    text = command("train.py", "--help").stdout
    paths = [path for folder in (CONF, SHIPPED) for path in folder.glob("*/*.yaml")]
    options = [path.stem for path in paths if path.parent.name not in {"hydra", "tta"}]
    assert not [option for option in options if option not in text]
    assert (CONF / "train.yaml").read_text() in text


def test_help_of_eval_shows_its_keys_and_its_own_groups_only(command: Command) -> None:
    text = command("eval.py", "--help").stdout
    assert (SHIPPED / "eval.yaml").read_text() in text
    assert "  tta             flip, none\n" in text
    assert "rmsprop" not in text
