"""One fit of any LightningModule: its history, its checkpoints, its progress bar, its curves."""
