"""The share of the targets' variance that predictions explain, whatever the targets' units."""

import torch
import torchmetrics
from torch import Tensor


class R2Score(torchmetrics.R2Score):
    """torchmetrics' own takes sums of squares below 1e-4 for 0, and then gives 1 for any prediction.

    1 is perfect, 0 as good as the mean of the targets; of several targets it is the mean.
    """

    def compute(self) -> Tensor:
        """Return R2, 0 for targets that do not vary; of one sample there is none (ValueError)."""
        if self.total < 2:  # noqa: PLR2004 - a variance takes two
            return super().compute()
        spread = self.sum_squared_error - self.sum_error**2 / self.total
        return torch.where(spread > 0, 1 - self.residual / spread, 0.0).mean()
