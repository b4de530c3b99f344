"""The sweepers of overnight. Hydra imports this at every start: only Hydra may stand at the top."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

THIS = "hydra/sweeper=confirm"
"""For the jobs, too: they get all typed settings of Hydra, and hydra.sweeper.seeds=10 must be a key there."""


class CheckingSweeper(BasicSweeper):
    """A sweeper that checks its jobs, and then says what is planned, before it runs the first one.

    An evaluation has no callback ``sweep``: what it measures are no runs, and Hydra alone checks them.
    """

    config: Any  # or None, says BasicSweeper
    hydra_context: Any
    launcher: Any

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what Hydra has; what is checked is not composed again."""
        from overnight.sweeps.composing import ComposingOnce  # noqa: PLC0415

        hydra_context.config_loader = ComposingOnce(hydra_context.config_loader)
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def refuse(self, jobs: Sequence[Sequence[str]]) -> None:
        """Refuse all if one of them would be refused by itself (ConfigError)."""
        from overnight.sweeps.jobs import refuse  # noqa: PLC0415

        if "sweep" in self.config.hydra.callbacks:
            getattr(self.launcher, "get_ready", lambda _: None)(len(jobs))  # most launchers have none
            refuse(self.hydra_context, self.config, jobs)
        else:
            super().validate_batch_is_legal(jobs)

    def begin(self, total: int, common: Sequence[str] = ()) -> None:
        """Write and say what is planned; ``common`` are overrides of all jobs that nobody has typed here."""
        from overnight.sweeps.callback import begin  # noqa: PLC0415

        if "sweep" in self.config.hydra.callbacks:
            begin(self.config, total, common)


class GridSweeper(CheckingSweeper):
    """Hydra's own, for every combination; it says what to type instead of what only a search draws from."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose no job a second time."""

    def split_arguments(  # type: ignore[override]  # Hydra's needs no instance
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """Check all jobs (ConfigError), say what is planned, and return them; Hydra runs them next."""
        from overnight.config.errors import ConfigError, needed  # noqa: PLC0415

        size = 1 if max_batch_size is None else max_batch_size
        needed("hydra.sweeper.max_batch_size", size, lambda n: n > 0, "1 or more, or null", 8)
        for override in overrides:
            if override.is_interval_sweep() or getattr(override.value(), "tags", None):
                raise ConfigError(
                    f"{override.input_line}: a grid has no intervals and no tags. Needed: values. "
                    f"Type for example: {override.get_key_element()}=1e-3,1e-2, or for a search: "
                    f"hparams_search=tpe"
                )
        (combined,) = super().split_arguments(overrides, None)
        jobs = [list(job) for job in dict.fromkeys(map(tuple, combined))]  # a value may have been typed twice
        self.refuse(jobs)
        self.begin(len(jobs))
        return list(self.split_overrides_to_chunks(jobs, max_batch_size))


GRID = BasicSweeperConf(_target_="hydra_plugins.overnight_sweepers.GridSweeper")
"""hydra/sweeper=basic, the default: it takes the place of Hydra's."""
ConfigStore.instance().store(group="hydra/sweeper", name="basic", node=GRID, provider="overnight")


class OptunaSweeper(CheckingSweeper):
    """What ``conf/hydra/sweeper/optuna.yaml`` builds; its keys are described there."""

    def __init__(self, params: dict[str, Any], **settings: Any) -> None:
        self.params, self.settings = params, settings

    def sweep(self, arguments: list[str]) -> None:
        """Search; what was typed comes after the parameters of the configuration, and wins."""
        from overnight.search.search import search  # noqa: PLC0415 - only a search needs Optuna
        from overnight.search.trials import Settings  # noqa: PLC0415

        config = self.config
        search(
            Settings(**self.settings, metric=config.metric, mode=config.mode, cosmetic=config.cosmetic),
            arguments,
            prepared=[f"{key}={value}" for key, value in self.params.items()],
            directory=Path(config.hydra.sweep.dir),
            refuse=self.refuse,
            begin=self.begin,
            launch=self.launcher.launch,
        )


class ConfirmSweeper(CheckingSweeper):
    """What ``conf/hydra/sweeper/confirm.yaml`` builds; its keys are described there."""

    def __init__(self, seeds: int, arms: int | None, **_: Any) -> None:
        self.seeds, self.arms = seeds, arms

    def sweep(self, arguments: list[str]) -> None:
        """Run the winners with fresh seeds, and with what was typed besides."""
        from overnight.sweeps.confirm import chosen, same_configuration, seeded  # noqa: PLC0415 - pandas
        from overnight.sweeps.jobs import compose  # noqa: PLC0415

        study = self.config.study
        confirmation = chosen(study.confirms, study.scientific, self.arms, self.seeds)
        batch = [[THIS, *run] for run in seeded(confirmation, self.config.task_name, arguments)]
        same_configuration(confirmation, lambda run: compose(self.hydra_context, self.config, [THIS, *run]))
        self.refuse(batch)
        self.begin(len(batch), sorted(set.intersection(*map(set, batch))))
        for job in self.launcher.launch(batch, initial_job_idx=0):
            _ = job.return_value  # raises what ended a job that could leave no record
