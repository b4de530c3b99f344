"""Hydra's callback before a run by itself: what cannot be honoured is refused before a file is touched."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from overnight.config.cli import legible
from overnight.config.continuation import GOES_ON, going_on


class Before(Callback):
    """Asks whether a run can be honoured; when it runs, Hydra has written into its folder.

    A job of a sweep is asked when it runs, and recorded as failed.
    """

    @legible  # Hydra would turn an error into a warning
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse the run, or do nothing; imports here, since the parent of a sweep needs no torch."""
        from overnight.runs.run import refuse  # noqa: PLC0415

        GOES_ON.set(going_on(config, "run", *([] if config.ckpt_path else ["ckpt_path=last"])))
        directory = Path(config.hydra.run.dir).absolute()
        with read_write(config.hydra.runtime), open_dict(config.hydra.runtime):
            config.hydra.runtime.output_dir = str(directory)
        HydraConfig.instance().set_config(config)
        refuse(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]), directory)
