"""Measures a checkpoint of that project."""

import hydra
from omegaconf import DictConfig

from overnight.config import cli


@hydra.main(version_base="1.3", config_path="conf", config_name="eval")
def main(cfg: DictConfig) -> None:
    from overnight.runs.evaluate import evaluate  # noqa: PLC0415

    cli.legible(evaluate)(cfg)


if __name__ == "__main__":
    cli.launch(main)
