"""Tensors in memory as a data module: batches by indexing, stratified splits, folds."""
