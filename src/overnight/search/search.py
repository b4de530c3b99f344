"""A search for good settings: Optuna proposes, a Hydra launcher runs, the records say how it went."""

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from overnight.config.commands import alone
from overnight.config.overrides import overrides_by_key
from overnight.records import sweep_state
from overnight.records.identity import is_cosmetic
from overnight.records.lock import locked
from overnight.records.record import read_record
from overnight.search.search_space import Space, described, overrides, probes, split
from overnight.search.trials import STATES, Settings, Trials, opened

RESULTS = "optimization_results.yaml"

Batch = Sequence[Sequence[str]]


def search(
    settings: Settings,
    typed: list[str],
    directory: Path,
    refuse: Callable[[Batch], None],
    begin: Callable[[int], None],
    launch: Callable[[Batch, int], Sequence[JobReturn]],
    prepared: list[str] | None = None,
) -> None:
    """Run trials until there are ``n_trials``, those of earlier calls included, and say which was the best.

    Trials that were under way when an earlier call ended are run first, with their own parameters. What was
    ``typed`` wins over what the configuration has ``prepared``. Trials that could not be run are refused
    before anything is written; ``begin`` says how many are planned; ``launch`` numbers them from its second
    argument on.

    Raises:
        ConfigError: the space cannot be searched, or the study in the storage is one over another space.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space, fixed = split(typed, prepared)
    first = settings.propose(draft := optuna.create_study(), space)
    draft.tell(first.number, 0.0)
    settings.propose(draft, space)  # some samplers need more than is installed from the second trial on
    refuse([[*fixed.values(), *probe] for probe in probes(space, first.params)])
    directory.mkdir(parents=True, exist_ok=True)
    name = settings.study_name or directory.name
    with locked(directory), opened(settings, name, determinants(space, fixed, settings.cosmetic)) as trials:
        begin(settings.n_trials)
        note_earlier(trials, directory)
        while not sweep_state.stopped(directory) and (batch := trials.next_batch(space)):
            runs = [[*fixed.values(), *overrides(trial.params, space)] for trial in batch]
            for trial, job in zip(batch, launch(runs, batch[0].number), strict=True):
                status, value, path = outcome(job)
                if status or not sweep_state.stopped(directory):  # else it was not run; the next call runs it
                    trials.tell(trial.number, status or "failed", value, path)
        conclude(trials, space, fixed, directory)


def determinants(space: Space, fixed: dict[str, str], own: Sequence[str]) -> dict[str, str]:
    """Return what the results of a study depend on, for a person to read and compare.

    Keys of the project that no result depends on are not among it.
    """
    searched = {key: described(drawn_from) for key, drawn_from in space.items()}
    return searched | {
        key: text.partition("=")[2]
        for key, text in fixed.items()
        if key != "hparams_search" and not is_cosmetic(key.lstrip("+"), own)
    }


def note_earlier(trials: Trials, directory: Path) -> None:
    """Count the trials of earlier calls among the runs of this sweep that have ended."""
    for trial in trials.in_state(*STATES.values()):
        name = Path(trial.user_attrs.get("directory", "")).name
        sweep_state.note_end(directory, name or f"trial {trial.number}", new=False)


def outcome(job: JobReturn) -> tuple[str | None, float, Path | None]:
    """Return status, value and directory of a run: what its record says, or else what it returned.

    It has no status if it left no record, and returned no number.
    """
    directory = Path(job.hydra_cfg.hydra.runtime.output_dir) if job.hydra_cfg else None
    record = read_record(directory) if directory else None
    returned = job.return_value if job.status == JobStatus.COMPLETED else None
    value = float(returned) if isinstance(returned, int | float) else math.nan
    measured = "completed" if math.isfinite(value) else None
    status = record["status"] if record else measured
    return measured if status == "completed" else status, value, directory


def conclude(trials: Trials, space: Space, fixed: dict[str, str], directory: Path) -> None:
    """Write the results, and print the command that trains the winner."""
    states = Counter(trial.state.name for trial in trials.study.get_trials(deepcopy=False))
    results: dict[str, Any] = {"name": "optuna", "n_trials": states.total(), "states": dict(states)}
    if states["COMPLETE"]:
        best = trials.study.best_trial
        drawn = overrides(best.params, space)
        values = {key: override.value() for key, override in overrides_by_key(drawn).items()}
        command = alone([*fixed.values(), *drawn])
        results |= {"best_value": best.value, "best_trial": best.number}
        results |= {"best_params": values, "command": command}
        sys.stdout.write(f"best of {states.total()} trials: {best.value:.4f}\n  {command}\n")
    OmegaConf.save(OmegaConf.create(results), directory / RESULTS)
