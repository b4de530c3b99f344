"""What is printed as a command can be pasted into a shell, whatever the names are."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import records
from commands import SHORT, Command, Result, every
from overnight.records import sweep_state
from overnight.records.record import find_runs, read_record
from overnight.runs import attempt
from overnight.study import page
from overnight.study.evidence import gather
from overnight.sweeps import status
from searches import TINY

NAME = """it's "my" $HOME? *~ü [red] :smile:"""
TYPED = "task_name='" + NAME.replace("'", "\\'") + "'"


def commands_in(result: Result) -> dict[str, list[str]]:
    """Return the words of each command that was printed, by what stands in front of it."""
    found = re.findall(r"(\w+):\s+((?:python|tensorboard) .*)$", result.stdout, flags=re.MULTILINE)
    return {what: shlex.split(text) for what, text in found}


def pasted(command: Command, words: list[str]) -> Result:
    """Run the words of a printed command."""
    python, script, *arguments = words
    assert python == "python"
    return command(Path(script).name, *arguments)


def test_the_commands_of_a_sweep_can_be_pasted(command: Command, tmp_path: Path) -> None:
    sweep = command("train.py", *SHORT, "seed=0", TYPED, "-m")
    assert (sweep.status, sweep.stderr) == (0, "")
    told = commands_in(sweep)
    (run,) = find_runs(tmp_path / "outputs" / "sweeps" / NAME)
    record = read_record(run)
    assert record
    assert told["curves"][-1] == told["report"][-1] == f"outputs/sweeps/{NAME}"
    assert f"{record['best']['test/acc']:.4f}" in pasted(command, told["measure"]).stdout
    assert "0 left of 1" in pasted(command, told["terminal"]).stdout
    assert pasted(command, told["interruption"]).stdout.count("(recorded before)") == 1
    assert find_runs(tmp_path) == [run]


def test_the_commands_of_a_report_can_be_pasted(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for lr, reached in ((0.1, 0.8), (0.2, 0.9)):
        records.write(Path(NAME), records.record({"lr": lr}, reached))
    Path(NAME, "events.out.tfevents.1").touch()
    told = [shlex.split(text) for _, text in page.commands(gather([Path(NAME)]))]
    assert [NAME in words[-1] for words in told[2:]] == [True, True, True]
    Path(told[2][-1].removeprefix("ckpt_path=")).parent.mkdir()
    Path(told[2][-1].removeprefix("ckpt_path=")).touch()
    assert "Needed: a checkpoint that train.py wrote" in pasted(command, told[2]).stderr


def test_a_clock_in_the_folder_of_a_sweep_stands_still(command: Command, tmp_path: Path) -> None:
    sweep = command("train.py", *SHORT, "seed=0", "-m", "hydra.sweep.dir=W/${now:%H-%M-%S-%f}")
    again = pasted(command, commands_in(sweep)["interruption"])
    assert "(recorded before)" in again.stdout
    assert len(find_runs(tmp_path)) == 1


@pytest.mark.slow
def test_a_search_goes_on_in_its_folder(command: Command, tmp_path: Path) -> None:
    typed = [
        "hparams_search=tpe",
        "hydra.sweeper.n_trials=1",
        r"hydra.sweep.dir='W/why? 100%41 ${now:%S-%f}'",
    ]
    first = command("train.py", *TINY, *typed)
    again = pasted(command, commands_in(first)["interruption"])
    assert (first.status, again.status) == (0, 0)
    (run,) = find_runs(tmp_path)
    assert (run.parent / "optuna.db").is_file()


@pytest.mark.parametrize("typed", every(3, [TYPED, "lr=0.01", "hydra.run.dir=W/${now:%H-%M-%S-%f}"]))
def test_an_interrupted_run_says_how_to_go_on(
    typed: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(attempt, "train", interrupted)
        first = command("train.py", *SHORT, typed)
    assert first.status == 130
    again = pasted(command, shlex.split(first.stderr.rpartition("type:\n")[2]))
    assert (again.status, again.stderr) == (0, "")
    assert len([*tmp_path.rglob("train.log")]) == len(find_runs(tmp_path)) == 1


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_the_end_of_a_complete_sweep_says_nothing_of_going_on(tmp_path: Path, capfd: Any) -> None:
    sweep_state.begin(tmp_path, 2, "python train.py")
    for name in ("a", "b"):
        status.show(tmp_path)
        assert "to go on" in capfd.readouterr().out
        records.write(tmp_path, records.record({}) | {"name": name})
        sweep_state.note_end(tmp_path, name, new=True)
    status.show(tmp_path)
    assert "to go on" not in capfd.readouterr().out
