"""The entry script of a project that knows nothing of FCNs."""

import hydra
from omegaconf import DictConfig

from overnight.config import cli


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float:
    from overnight.runs.run import run  # noqa: PLC0415

    return run(cfg)


if __name__ == "__main__":
    cli.launch(main)
