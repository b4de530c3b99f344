"""Settings of a run of 200 images, and what a test types for a callback of Lightning's."""

TINY = (
    *("data=synthetic", "data.train_size=260", "data.test_size=50", "data.val_size=60", "data.batch_size=32"),
    *("trainer=cpu", "trainer.max_epochs=3", "model=small", "logger=none", "task_name=tiny"),
)
CALLBACK = "_target_:lightning.pytorch.callbacks"
