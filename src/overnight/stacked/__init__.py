"""hydra/launcher=stacked: many runs of a sweep trained in lockstep, as one batched network."""
