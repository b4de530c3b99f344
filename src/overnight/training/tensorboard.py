"""Lightning's TensorBoardLogger, writing into the run's own directory and nothing but event files."""

from argparse import Namespace
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger


class TensorBoard(TensorBoardLogger):
    """Curves under the run's name, and its line in the HPARAMS tab."""

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir, name="", version="", default_hp_metric=False)

    @property
    def log_dir(self) -> str:
        """Return the run's directory as it is: Lightning would take ``$HOME`` in its name for a variable."""
        return str(self.save_dir)

    def log_hyperparams(
        self,
        params: dict[str, Any] | Namespace,
        metrics: dict[str, Any] | None = None,
        step: int | None = None,
    ) -> None:
        """Write hyperparameters and final metrics (keys ``hp/...``) side by side, and close the file.

        The HPARAMS tab needs both in one call, with the same keys in every run and nothing that is None.
        """
        everything = vars(params) if isinstance(params, Namespace) else params
        final = {key: value for key, value in everything.items() if key.startswith("hp/")}
        if not (metrics or final):
            return  # Lightning's own call at the start, with whatever the module has saved
        flat = {key: value for key, value in everything.items() if key not in final}
        super().log_hyperparams(flat, metrics or final, step)
        self.experiment.close()

    def save(self) -> None:
        """Flush the events; there is no ``hparams.yaml`` beside them, since .hydra/ has it all."""
        self.experiment.flush()

    def finalize(self, status: str) -> None:
        """Flush only: one run validates, fits and validates again, into one file."""
        self.experiment.flush()
