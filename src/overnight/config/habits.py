"""What people type by habit of other templates, and what to type here: ``KEY``, or ``GROUP=OPTION``."""

HABITS = {
    "train": "Every run trains. To measure a checkpoint alone, type: python eval.py ckpt_path=FILE",
    "test": "Every run measures the test set, which decides nothing. Leave it out, or type: track_test=false",
    "compile": "Nothing is compiled here. Many small runs are faster together: -m ... hydra/launcher=stacked",
    "paths": "Type for the data: data.root=FOLDER, and for what a run leaves: hydra.run.dir=FOLDER",
    "extras": "Type to see the configuration: --cfg job",
    "print_config": "Type instead: --cfg job",
    "optimized_metric": "Type for example: metric=val/loss mode=min",
    "datamodule": "Type: data=OPTION",
    "net": "Type: model=OPTION",
    "experiment_name": "Type: task_name=NAME",
    "name": "Type: task_name=NAME",
    "epochs": "Type: trainer.max_epochs=NUMBER",
    "max_epochs": "Type: trainer.max_epochs=NUMBER",
    "batch_size": "Type: data.batch_size=NUMBER",
    "data_dir": "Type: data.root=FOLDER",
    "data.data_dir": "Type: data.root=FOLDER",
    "data.num_workers": "These samples lie in memory, and no worker loads them. Leave it out",
    "data.pin_memory": "These samples lie in memory already. Leave it out",
    "callbacks.model_checkpoint": "Type: callbacks.checkpoint.KEY=VALUE",
    "callbacks=rich_progress_bar": (
        "Type: callbacks.progress_bar=null trainer.enable_progress_bar=true "
        "'+callbacks.rich={_target_:lightning.pytorch.callbacks.RichProgressBar}'"
    ),
    "logger=many_loggers": "A list composes. Type for example: logger=[tensorboard,csv]",
    "trainer=ddp": "Several devices are for several runs at a time. Type: -m seed=0,1 hydra/launcher=joblib",
    "trainer.gpus": "Type: trainer=gpu",
}
