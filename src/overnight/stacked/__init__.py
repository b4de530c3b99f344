"""hydra/launcher=stacked: many runs of a sweep trained together, as one batched network."""
