"""What hparams_search=tpe is worth: its best of 40 trials beside the best of 40 random ones.

Both search optimizer, lr, dropout and width, the space of conf/hparams_search/tpe.yaml, in runs of one epoch
on a tenth of FashionMNIST. With the same seed both begin with the same 10 random trials: what follows makes
the difference. Given a folder, an interrupted measurement goes on where it stopped.

    python benchmarks/search.py [folder]
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import optuna
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
SAMPLERS = ("tpe", "random")
SEEDS = range(5)
TRIALS = 40
SHOWN = (10, 20, TRIALS)
SHORT = ["+trainer.limit_train_batches=0.1", "trainer.max_epochs=1", "logger=none", "callbacks=none"]


def values(sampler: str, seed: int, folder: Path) -> list[float]:
    """Run one search, in a process of its own; return the validation accuracies, 0 where there is none."""
    directory = folder / f"{sampler}-{seed}"
    search = [f"hparams_search={sampler}", f"hydra.sweeper.n_trials={TRIALS}"]
    proposals = [f"hydra.sweeper.sampler.seed={seed}", f"hydra.sweep.dir={directory}"]
    subprocess.run(
        [sys.executable, ROOT / "train.py", *search, *proposals, *SHORT],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    study = optuna.load_study(study_name=directory.name, storage=f"sqlite:///{directory}/optuna.db")
    return [trial.value or 0.0 for trial in study.get_trials()]


def table(accuracies: dict[str, list[list[float]]]) -> Table:
    """Tabulate the best after some trials: median and range over the seeds."""
    drawn = Table("sampler", *(f"best of {trials}" for trials in SHOWN), "median trial after 10")
    for sampler, repetitions in accuracies.items():
        best = [[max(repetition[:trials]) for repetition in repetitions] for trials in SHOWN]
        typical = [statistics.median(repetition[10:]) for repetition in repetitions]
        drawn.add_row(sampler, *(spread(column) for column in (*best, typical)))
    return drawn


def spread(column: list[float]) -> str:
    """Write median, lowest and highest."""
    return f"{statistics.median(column):.4f} ({min(column):.4f} to {max(column):.4f})"


def main(folder: Path) -> None:
    """Measure, and print the table and each repetition."""
    accuracies = {
        sampler: [values(sampler, seed, folder.absolute()) for seed in SEEDS] for sampler in SAMPLERS
    }
    console = Console(width=140)
    console.print(table(accuracies))
    best = {sampler: [max(repetition) for repetition in runs] for sampler, runs in accuracies.items()}
    for sampler, column in best.items():
        console.print(f"{sampler}: best of {TRIALS} with each seed:", " ".join(f"{b:.4f}" for b in column))
    wins = sum(tpe >= blind for tpe, blind in zip(best["tpe"], best["random"], strict=True))
    console.print(f"tpe at least as good: {wins} of {len(SEEDS)}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
