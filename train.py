"""Train one run, or with -m a sweep: python train.py --help."""

import hydra
from omegaconf import DictConfig

from overnight.config import cli


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float:
    """Run what was composed; imports here, so that --help and completion answer without torch."""
    from overnight.runs.run import run  # noqa: PLC0415

    return run(cfg)


if __name__ == "__main__":
    cli.launch(main)
