"""A search that is killed, again and again, and ends as if it had not been."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from commands import ROOT, SHORT, Command
from overnight.records import sweep_state
from searches import LR, TINY, studied, trials

KillWhen = Callable[[], bool]
Killed = Callable[[list[str], KillWhen], bool]


@pytest.fixture
def killed(tmp_path: Path) -> Killed:
    """Run train.py in a process that is killed, without a warning, at some moment; tell whether it was."""

    def run(arguments: list[str], when: KillWhen) -> bool:
        with subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while process.poll() is None and not when():
                time.sleep(0.01)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode == -signal.SIGKILL

    return run


@pytest.mark.slow
def test_a_killed_search_ends_with_every_trial_told_once(
    killed: Killed, command: Command, tmp_path: Path
) -> None:
    directory = tmp_path / "outputs" / "sweeps" / "s"
    arguments = [*TINY, "hparams_search=random", "hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=3"]
    arguments += ["model.hidden_sizes=[8]", "optimizer=sgd,adam", "task_name=s"]
    assert killed(arguments, lambda: len(sweep_state.ended(directory)) >= 2)
    before = trials(directory)
    assert any(trial.state == TrialState.RUNNING for trial in before)
    assert command("train.py", *arguments).status == 0
    told = trials(directory)
    assert [trial.state for trial in told] == [TrialState.COMPLETE] * 6
    assert [trial.params for trial in told[: len(before)]] == [trial.params for trial in before]
    assert len({str(trial.params) for trial in told}) == 6
    assert len(list(directory.glob("*/run.json"))) == 6


def killed_often(killed: Killed, arguments: list[str], seed: int) -> int:
    """Kill a command at random moments, eight times at most, and let it end; tell how often it was killed."""
    draw = random.Random(seed)  # noqa: S311 - moments, not secrets
    for kills in range(8):
        end = time.monotonic() + draw.uniform(1, 12)
        if not killed(arguments, lambda: time.monotonic() > end):  # noqa: B023 - called in this turn
            return kills
    killed(arguments, lambda: False)
    return 8


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_search_survives_any_number_of_kills(
    jobs: int, killed: Killed, command: Command, tmp_path: Path
) -> None:
    directory = tmp_path / "outputs" / "sweeps" / "s"
    arguments = [*TINY, "hparams_search=tpe", "hydra.sweeper.n_trials=16", f"hydra.sweeper.n_jobs={jobs}"]
    arguments += ["model.hidden_sizes=[8]"]
    kills = killed_often(killed, [*arguments, "task_name=s"], seed=jobs)
    told = trials(directory)
    whole = studied(command, tmp_path, *arguments, name="whole")
    assert kills
    assert [trial.state for trial in told] == [TrialState.COMPLETE] * 16
    assert len({str(trial.params) for trial in told}) == 16
    assert [(t.params, t.value) for t in told] == [(t.params, t.value) for t in whole]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "stacked"])
def test_a_search_that_prunes_survives_any_number_of_kills(
    launcher: str, killed: Killed, command: Command, tmp_path: Path
) -> None:
    directory = tmp_path / "outputs" / "sweeps" / "s"
    arguments = [*SHORT, "hparams_search=tpe", "hydra.sweeper.n_trials=16", f"hydra/launcher={launcher}"]
    arguments += ["optimizer=sgd", LR, "trainer.max_epochs=4", "pruning=median", "logger=none"]
    arguments += ["hydra.sweeper.n_jobs=4", "callbacks.pruning.pruner.n_startup_trials=3", "dropout=0"]
    kills = killed_often(killed, [*arguments, "task_name=s"], seed=4)
    told = trials(directory)
    assert command("train.py", *arguments, "task_name=whole").status == 0
    whole = trials(directory.with_name("whole"))
    assert kills
    assert len({str(trial.params) for trial in told}) == len(told) == 16
    assert {trial.state for trial in told} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert [(t.params, t.state, t.value) for t in told] == [(t.params, t.state, t.value) for t in whole]
