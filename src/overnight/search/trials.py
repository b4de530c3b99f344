"""The trials of a search, in Optuna's storage: proposed, under way, told."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import hydra
import numpy as np
import optuna
from hydra.errors import HydraException
from omegaconf import DictConfig
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from overnight.config.errors import ConfigError, needed
from overnight.config.resolvers import at_a_time
from overnight.search.search_space import Space
from overnight.search.storage import open_storage

SETTINGS = "settings"  # the study's attribute: what its results depend on

NEEDED_SAMPLER = (
    "Needed: a sampler of Optuna's that can draw from this space, its package and its arguments. "
    "Type for example: hydra/sweeper/sampler=tpe"
)

STATES = {
    "completed": TrialState.COMPLETE,
    "diverged": TrialState.PRUNED,  # TPE ranks these last and avoids their region; failed ones it ignores
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""What a record's status is called by Optuna."""


@dataclass(frozen=True)
class Settings:
    """The keys of ``hydra/sweeper/optuna.yaml``, and the metric with its mode; else a ConfigError."""

    sampler: DictConfig
    direction: Literal["maximize", "minimize"] | None
    storage: str | None
    study_name: str | None
    n_trials: int
    n_jobs: int | None
    metric: str | None
    mode: str | None
    cosmetic: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check what Optuna itself would only stumble over."""
        key, whole = "hydra.sweeper.", "a whole number, "
        if not isinstance(self.sampler, DictConfig):
            raise ConfigError(f"{key}sampler={self.sampler}: {NEEDED_SAMPLER}")
        needed(f"{key}n_trials", self.n_trials, lambda value: value > 0, f"{whole}1 or more", 20)
        at_a_time(self.n_jobs, f"{key}n_jobs")
        needed(f"{key}sampler.seed", self.sampler.seed, lambda value: value >= 0, f"{whole}0 or more", 0)
        if self.metric is None:
            raise ConfigError("metric=null: a search needs one. Type for example: metric=val_loss mode=min")
        if self.direction not in {None, self.towards}:
            raise ConfigError(
                f"hydra.sweeper.direction={self.direction} with mode={self.mode}: needed: the same for both. "
                f"Type instead: metric={self.metric} mode={self.mode}, and no direction"
            )

    @property
    def towards(self) -> Literal["maximize", "minimize"]:
        """The direction of the study."""
        return "minimize" if self.mode == "min" else "maximize"

    def propose(self, draft: optuna.Study, space: Space) -> FrozenTrial:
        """Draw the next trial of a study in memory; refuse a sampler that cannot do so (ConfigError)."""
        try:
            draft.sampler = self.build_sampler(len(draft.trials))
            draft.ask(space)
        except (HydraException, ImportError, TypeError, ValueError) as error:
            reason = " ".join(str(error.__cause__ or error).split())
            raise ConfigError(f"{self.sampler._target_}: {reason}. {NEEDED_SAMPLER}") from error
        return draft.trials[-1]

    def build_sampler(self, number: int) -> BaseSampler:
        """Build the sampler of one trial: its draws depend on its number and on what is known by then.

        One that lived as long as the process would begin again with its first draws after an interruption.
        """
        (seed,) = np.random.SeedSequence([self.sampler.seed, number]).generate_state(1)
        with warnings.catch_warnings():  # who configures something experimental need not hear it every time
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler: object = hydra.utils.instantiate(self.sampler, seed=int(seed))
        if not isinstance(sampler, BaseSampler):
            raise TypeError("this is no sampler")
        return sampler


@contextmanager
def opened(settings: Settings, name: str, asked: dict[str, str]) -> Iterator["Trials"]:
    """Open the study, or begin it; ``asked``, what its results depend on, must be the same (ConfigError)."""
    storage = open_storage(settings.storage)
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, direction=settings.towards, load_if_exists=True
        )
        same_settings(study, asked)
        yield Trials(settings, study, storage)
    finally:
        storage.remove_session()
        if isinstance(storage, RDBStorage):
            storage.engine.dispose()


def same_settings(study: optuna.Study, asked: dict[str, str]) -> None:
    """Refuse other settings than the study was begun with (ConfigError); a new one takes note of them."""
    stored = study.user_attrs.get(SETTINGS)
    if stored is None:
        study.set_user_attr(SETTINGS, stored := asked)
    differences = [
        f"{key}: given {asked.get(key, 'nothing')}, stored {stored.get(key, 'nothing')}"
        for key in dict.fromkeys([*asked, *stored])
        if asked.get(key) != stored.get(key)
    ]
    if differences:
        raise ConfigError(
            f"The study {study.study_name} was begun with other settings. {'; '.join(differences)}. "
            f"Needed: the same settings, to go on. Type what is stored, or another task_name for a new study"
        )


@dataclass(frozen=True)
class Trials:
    """A study; an interruption at any moment leaves it such that it can go on."""

    settings: Settings
    study: optuna.Study
    storage: BaseStorage

    def in_state(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in one of these states, in order."""
        return self.study.get_trials(deepcopy=False, states=states)

    def next_batch(self, space: Space) -> list[FrozenTrial]:
        """Draw as many trials as complete a batch, and return all that are to be run.

        After an interruption these are the rest of the batch that it cut, with the same boundaries as ever.
        """
        begun = self.in_state(TrialState.RUNNING, *STATES.values())
        size = at_a_time(self.settings.n_jobs)  # side by side
        missing = -len(begun) % size if self.in_state(TrialState.RUNNING) else size - len(begun) % size
        draft = optuna.create_study(direction=self.settings.towards)
        draft.add_trials(begun)
        for _ in range(len(begun), min(len(begun) + missing, self.settings.n_trials)):
            # in one transaction: no trial is ever half drawn
            self.study.add_trial(self.settings.propose(draft, space))
        return self.in_state(TrialState.RUNNING)

    def tell(self, number: int, status: str, value: float, directory: Path | None) -> None:
        """Tell how a run ended, and where its record is."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        trial_id = self.storage.get_trial_id_from_study_id_trial_number(study_id, number)
        self.storage.set_trial_user_attr(trial_id, "status", status)
        self.storage.set_trial_user_attr(trial_id, "directory", str(directory or ""))
        self.study.tell(number, value if status == "completed" else None, STATES[status])
