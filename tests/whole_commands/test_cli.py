"""The commands as a person types them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import CONF, ROOT, SHORT, Command, environment
from overnight.config.folders import SHIPPED

ONLY_FOR_SWEEPS = {
    *("optuna", "joblib", "cloudpickle", "submitit", "ray", "overnight.launchers"),
    "pandas",
}


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
