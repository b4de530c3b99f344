"""From records to answers. Nothing here imports torch, Lightning or Hydra."""
