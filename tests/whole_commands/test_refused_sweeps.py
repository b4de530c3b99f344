"""A sweep with a job that cannot be run: refused in one message, before anything is written or said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, SHORT, Command, contents, environment, every

CALLBACK = "_target_:lightning.pytorch.callbacks"
SEEDS = "seed=0,1"

REFUSED: dict[str, tuple[str, str]] = {
    "optimizer=sgd,adam lr=-1,0.1": (
        "2 of 4 jobs cannot be run, so none was. The first is: optimizer=sgd lr=-1",
        "lr=-1: needed: a number above 0. Type for example: lr=0.001",
    ),
    f"{SEEDS} +callbacks.swa={{{CALLBACK}.StochasticWeightAveraging,swa_lrs:0.01}}": (
        "2 of 2 jobs cannot be run, so none was. The first is: seed=0",
        "EMAWeightAveraging",
    ),
    "hparams_search=tpe model.hidden_sizes=[0],[8]": ("model.hidden_sizes=[0]", "needed: a list of whole"),
    f"{SEEDS} +trainer.overfit_batches=2 hydra/launcher=stacked": ("2 of 2", "debug=overfit"),
    "model.hidden_sizes=[0],[8]": ("1 of 2 jobs", "model.hidden_sizes=[0]: needed: a list of whole numbers"),
    "seed=0,-1 lr=-2,0.1": ("3 of 4 jobs", "lr=-2: needed"),
    "lr=0.1,-2 seed=0,-1": ("first is: lr=0.1 seed=-1", "lr=-2: needed"),
    "optimizer=sgd,adm": ("first is: optimizer=adm", "Did you mean adam?"),
    "~model.activation activation=relu,tanh": ("2 of 2 jobs", "no part of the run takes ${activation}"),
    "optimizer=sgd,adam optimizer.momentum=0.9": ("1 of 2 jobs", "Needed with it: optimizer=momentum"),
    f"{SEEDS} +optimizer.nonsense=1": ("2 of 2 jobs", "optimizer.nonsense: there is no such key"),
    "optimizer=sgd,adam optimizer.nonsense=1": ("2 of 2 jobs", "optimizer.nonsense: there is no such key"),
    f"{SEEDS} trainer.devices=2": ("2 of 2 jobs", "hydra.launcher.n_jobs=2"),
    f"{SEEDS} metric=test/acc": ("2 of 2 jobs", "metric=val/acc"),
    f"{SEEDS} optimizer.lr=0.5": ("2 of 2 jobs", "two names of one value"),
    f"{SEEDS} callbacks.checkpoint.monitor=val/loss": ("2 of 2 jobs", "two names of one value"),
    f"{SEEDS} +callbacks.mine={{_target_:nowhere.Mine}}": ("2 of 2 jobs", "nowhere"),
    f"{SEEDS} task._target_=nowhere.Task": ("2 of 2 jobs", "there is no module nowhere"),
    "dropout=0.1,2": ("1 of 2 jobs", "dropout=2"),
    "data.folds=3 data.fold=range(4)": ("1 of 4 jobs", "data.fold=3 with data.folds=3"),
    "regularization=[batch_norm,layer_norm],none": ("1 of 2 jobs", "one normalization"),
    "seed=0,1,-1 hydra.sweeper.max_batch_size=1": ("1 of 3 jobs", "seed=-1: needed"),
    "seed=0,-1 hydra/launcher=joblib": ("1 of 2 jobs", "seed=-1: needed"),
    "seed=0,-1 hydra/launcher=stacked": ("1 of 2 jobs", "seed=-1: needed"),
    f"{SEEDS} hydra/launcher=stacked hydra.launcher.max_members=1": ("max_members=1", "2 or more"),
    f"{SEEDS} hydra/launcher=joblib hydra.launcher.n_jobs=0": ("n_jobs=0", "1 or more"),
    "experiment=init init=zeros,nonsense lr=0.1 seed=0": ("init=nonsense", "there is no such option"),
    "hparams_search=tpe lr=-0.1": ("jobs cannot be run", "lr=-0.1: needed"),
    "hparams_search=tpe dropout=range(0,3)": ("dropout=2", "needed"),
    "hparams_search=tpe hydra.sweeper.n_trials=0": ("n_trials=0", "1 or more"),
    "hparams_search=tpe hydra.sweeper.direction=minimize": ("direction=minimize", "no direction"),
    "hparams_search=tpe hydra.sweeper.direction=[maximize,minimize]": ("direction=", "no direction"),
    "hparams_search=tpe +trainer.limit_val_batches=1": ("jobs cannot be run", "data.val_size"),
    f"{SEEDS} callbacks.checkpoint.filename=last": ("2 of 2 jobs", "the best and the last weights"),
    f"{SEEDS} trainer.accelerator=tpu": ("2 of 2 jobs", "trainer with accelerator=tpu"),
    f"{SEEDS} trainer.accelerator=tpu hydra/launcher=stacked": ("2 of 2", "what this machine has"),
    f"{SEEDS} ckpt_path=nowhere.ckpt": ("2 of 2 jobs", "nowhere.ckpt: there is no such file"),
    f"{SEEDS} init_from=nowhere.ckpt": ("2 of 2 jobs", "nowhere.ckpt: there is no such file"),
    f"{SEEDS} +optimizer.eps=-1": ("2 of 2 jobs", "optimizer: Invalid epsilon value: -1"),
    f"{SEEDS} retries=1,2": ("retries: several values. Needed: one", "no run of a sweep is told"),
    f"{SEEDS} hydra.sweep.subdir=same": ("hydra.sweep.subdir=same: needed", "another one for each job"),
    f"{SEEDS} hydra.sweep.subdir=../x-${{seed}}": ("../x-${seed}: needed", "in that of the sweep"),
    "optimizer=sgd,adam study.scientific=[optimzer]": (
        "study.scientific: optimzer",
        "Did you mean optimizer?",
    ),
    f"{SEEDS} hydra.sweeper.max_batch_size=0": ("max_batch_size=0: needed: 1 or more", "or null"),
    f"{SEEDS} +hydra.launcher.foo=1": ("foo: BasicLauncher does not take it", "Leave it out"),
    f"{SEEDS} hydra.launcher=null": ("hydra.launcher=null: needed: one", "hydra/launcher=basic"),
    f"{SEEDS} hydra.job.chdir=maybe": ("hydra.job.chdir: value 'maybe' is not a valid bool", "--cfg hydra"),
    "lr=interval(0.1,1)": ("no intervals", "hparams_search=tpe"),
    "experiment=confirm study.confirms=nowhere": ("nowhere", "there is no such folder"),
}


def leave_earlier_sweep(root: Path) -> None:
    """Leave what an earlier sweep of this name has left."""
    sweep = root / "outputs" / "sweeps" / "named"
    (sweep / "seed=0").mkdir(parents=True)
    plan = {"started": 1.0, "total": 2, "command": "python train.py"}
    (sweep / "sweep.json").write_text(json.dumps(plan))
    for name in ("results.csv", ".ended", ".stopped", "multirun.yaml", "seed=0/run.json"):
        (sweep / name).write_text("old")


@pytest.mark.parametrize("typed", every(17, REFUSED))
def test_a_sweep_with_a_bad_job_is_refused_and_every_file_stays(
    typed: str, command: Command, tmp_path: Path
) -> None:
    leave_earlier_sweep(tmp_path)
    before = contents(tmp_path)
    refused = command("train.py", "-m", *SHORT, *typed.split(), "task_name=named")
    assert refused.status == 1
    assert (refused.stdout, len(refused.stderr.splitlines())) == ("", 1)
    for words in REFUSED[typed]:
        assert words in refused.stderr
    assert contents(tmp_path) == before


def test_a_bad_sweep_leaves_no_folder_and_each_complaint_is_told_once(
    command: Command, tmp_path: Path
) -> None:
    told = command("train.py", "-m", *SHORT, "lr=-1,0.1", "seed=0,-1").stderr
    assert told.startswith("Error: 3 of 4 jobs cannot be run, so none was. The first is: lr=-1 seed=0. ")
    assert [told.count(said) for said in ("lr=-1: needed", "seed=-1: needed")] == [1, 1]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_value_that_is_proposed_later_and_refused_is_a_failed_trial(
    command: Command, tmp_path: Path
) -> None:
    search = ["hparams_search=random", "hydra.sweeper.n_trials=6", "model.hidden_sizes=[8]", "optimizer=sgd"]
    searched = command("train.py", *SHORT, *search, "lr=0.1", "dropout=interval(0,1.5)", "task_name=s")
    statuses = [json.loads(path.read_text())["status"] for path in tmp_path.rglob("run.json")]
    assert searched.status == 1
    assert sorted(set(statuses)) == ["completed", "failed"]


@pytest.mark.slow
def test_the_process_that_checks_a_sweep_does_without_torch(tmp_path: Path) -> None:
    script = str(ROOT / "train.py")
    checked = (
        f"import runpy, sys\nsys.argv[0] = {script!r}\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: print('torch' in sys.modules, end)"
    )
    typed = [sys.executable, "-c", checked, "-m", *SHORT, "seed=0,-1", "hydra/launcher=joblib"]
    variables = {"PYTHONPATH": str(ROOT / "src")}
    told = subprocess.check_output(typed, cwd=tmp_path, env=environment() | variables, text=True)
    assert told.startswith("False Error: 1 of 2 jobs cannot be run")


def test_a_sweep_on_a_file_that_is_not_there_is_refused(command: Command, tmp_path: Path) -> None:
    table = ["data=table", "data.path=nowhere.csv", "data.target=price", "task_name=named"]
    refused = command("train.py", "-m", *table, SEEDS)
    assert refused.status == 1
    assert "2 of 2 jobs" in refused.stderr
    assert "nowhere.csv: there is no such file" in refused.stderr
    assert not contents(tmp_path)
