"""Where the runs of a sweep are run: hydra/launcher=joblib, submitit_slurm, ray."""
