"""Hydra's callback before a run by itself: what cannot be honoured is refused before a file is touched."""

import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from overnight.config.cli import legible
from overnight.config.continuation import GOES_ON, going_on
from overnight.config.errors import ConfigError


class Before(Callback):
    """Asks whether a run can be honoured; when it runs, Hydra has written into its folder.

    A job of a sweep is asked when it runs, and recorded as failed.
    """

    @legible  # Hydra would turn an error into a warning
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Refuse the run, or do nothing; imports here, since the parent of a sweep needs no torch."""
        from overnight.runs.run import refuse  # noqa: PLC0415

        refuse_unswept(config)
        GOES_ON.set(going_on(config, "run", *([] if config.ckpt_path else ["ckpt_path=last"])))
        directory = Path(config.hydra.run.dir).absolute()
        with read_write(config.hydra.runtime), open_dict(config.hydra.runtime):
            config.hydra.runtime.output_dir = str(directory)
        HydraConfig.instance().set_config(config)
        refuse(OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"]), directory)


def refuse_unswept(config: DictConfig) -> None:
    """Refuse a sweep that a file asks for if nobody typed ``-m`` or ``hydra.mode`` (ConfigError)."""
    typed = any(text.startswith("hydra.mode=") for text in sys.argv[1:])  # Hydra adds it to its own
    if (swept := config.hydra.sweeper.get("params")) and not typed:
        raise ConfigError(
            f"hydra.sweeper.params: a file asks for a sweep over {', '.join(swept)}, and this is a single "
            f"run. Needed: -m, or in that file: hydra: {{mode: MULTIRUN}}. For a single run, type: "
            f"hydra.mode=RUN"
        )
