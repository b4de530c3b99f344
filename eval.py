"""Measure a checkpoint: python eval.py ckpt_path=outputs/runs/TIME/checkpoints/best.ckpt."""

import hydra
from omegaconf import DictConfig

from overnight.config import cli


@hydra.main(version_base="1.3", config_path="conf", config_name="eval")
def main(cfg: DictConfig) -> None:
    """Measure what was asked for; imports here, so that --help answers without torch."""
    from overnight.runs.evaluate import evaluate  # noqa: PLC0415

    cli.legible(evaluate)(cfg)


if __name__ == "__main__":
    cli.launch(main)
