"""The sweeper of a confirmation. Hydra imports this at every start: only Hydra may stand at the top."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict

from hydra_plugins.overnight_sweeper import LaunchingSweeper

THIS = "hydra/sweeper=confirm"
"""For the jobs, too: they get all typed settings of Hydra, and hydra.sweeper.seeds=10 must be a key there."""


class ConfirmSweeper(LaunchingSweeper):
    """What ``conf/hydra/sweeper/confirm.yaml`` builds; its keys are described there."""

    def __init__(self, seeds: int, arms: int | None, **_: Any) -> None:
        self.seeds, self.arms = seeds, arms

    def sweep(self, arguments: list[str]) -> None:
        """Run the winners with fresh seeds, and with what was typed besides."""
        from overnight.sweeps.confirm import chosen, same_configuration, seeded  # noqa: PLC0415 - pandas

        study = self.config.study
        confirmation = chosen(study.confirms, study.scientific, self.arms, self.seeds)
        batch = [[THIS, *run] for run in seeded(confirmation, self.config.task_name, arguments)]
        same_configuration(confirmation, self.compose)
        self.validate_batch_is_legal(batch)
        for job in self.launcher.launch(batch, initial_job_idx=0):
            _ = job.return_value  # raises what ended a job that could leave no record

    def compose(self, overrides: list[str]) -> dict[str, Any]:
        """Return the resolved configuration of a job with these overrides."""
        composed = self.hydra_context.config_loader.load_sweep_config(self.config, [THIS, *overrides])
        with open_dict(composed):
            composed.hydra.runtime.output_dir = composed.hydra.sweep.dir
        HydraConfig.instance().set_config(composed)
        keys = [str(key) for key in composed if key != "hydra"]
        config: Any = OmegaConf.to_container(OmegaConf.masked_copy(composed, keys), resolve=True)
        return dict(config)
