"""What would make a record untrue is refused before training, with every file as it was."""

import shlex
from pathlib import Path

import pytest

from commands import Command, contents, every
from overnight.records.record import BEST, LAST, MARK
from tiny_runs import CALLBACK, TINY

REFUSED = {
    "+callbacks.checkpoint.save_top_k=3": "+callbacks.mine",
    "+callbacks.checkpoint.save_top_k=-1": "+callbacks.mine",
    f"'+callbacks.swa={{{CALLBACK}.StochasticWeightAveraging,swa_lrs:0.01}}'": "EMAWeightAveraging",
    "+trainer.limit_val_batches=1": "data.val_size",
    "+trainer.limit_val_batches=0": "data.val_size",
    "+trainer.limit_test_batches=1": "data.val_size",
    "+trainer.overfit_batches=2": "debug=overfit",
    "trainer.devices=2": "hydra/launcher=joblib",
    "trainer.devices=auto": "trainer.devices=1",
    "+trainer.strategy=ddp": "hydra/launcher=joblib",
    "optimizer.lr=0.5": "two names of one value",
    "metric=test/acc": "metric=val/acc",
    "callbacks.checkpoint.monitor=val/loss": "Type for example: metric=val/loss",
    "callbacks.checkpoint.mode=min": "two names of one value",
    "+callbacks.checkpoint.every_n_epochs=2": "after whole epochs",
    "+trainer.limit_predict_batches=1": "whole splits",
    "metric=val/nonsense mode=max": "val/acc",
    "metric=val/loss": "mode=min if less",
    "mode=null": "mode",
    "metric=null mode=max": "mode",
    "+trainer.barebones=true": "Leave it out",
    "+data.num_workers=2": "Leave out num_workers",
    "+trainer.limit_train_batches=0": "",
    "trainer=bf16 trainer.accelerator=cpu +trainer.gradient_clip_val=1.0": "optimizer.fused=false",
    "+trainer.check_val_every_n_epoch=null": "check_val_every_n_epoch=2",
    "+trainer.val_check_interval=00:00:01:00": "check_val_every_n_epoch=2",
    "+trainer.max_steps=0": "nothing would be trained",
    "+trainer.max_steps=8 +trainer.min_epochs=3": "would not be validated. Needed: one of them",
    f"'+callbacks.lr={{{CALLBACK}.LearningRateMonitor,logging_interval:step}}'": "log_every_n_steps=50",
    f"'+callbacks.lr={{{CALLBACK}.DeviceStatsMonitor}}'": "log_every_n_steps=50",
    **dict.fromkeys(("model=null", "~model", "optimizer=none", "metrics=[]", "data=null"), "cannot be off"),
    "augmentation=[flip,flip]": "Type: augmentation=[flip]",
    "'regularization=[dropout, none]'": "Type: regularization=[dropout]",
    "metrics=[accuracy,accuracy,f1]": "Type: metrics=[accuracy,f1]",
    "callbacks.checkpoint.dirpath=elsewhere": "hydra.run.dir",
    "callbacks.last_checkpoint.dirpath=/": "hydra.run.dir",
    "callbacks.checkpoint.filename=last": "would be one file",
    "callbacks.last_checkpoint.filename=best": "would be one file",
    "+trainer.precision=16-mixed": "trainer.precision=bf16-mixed",
    "+trainer.precision=16": "trainer.precision=bf16-mixed",
    "'+callbacks.lr={logging_interval:step}'": "a _target_",
    "trainer.gradient_clip_val=0.5": "+trainer.gradient_clip_val",
    "trainer.limit_val_batches=1": "+trainer.limit_val_batches",
    "optimizer.amsgrad=true": "+optimizer.amsgrad",
    "trainer.gradient_clipval=0.5": "there is no such key",
    "seed=4294967296": "4294967295",
    "seed=-1": "4294967295",
    "seed=1.5": "4294967295",
    "lr=nan": "a number above 0",
    "trainer.devices=[0,1]": "hydra/launcher=joblib",
    "trainer.devices=-1": "hydra/launcher=joblib",
    "+trainer.num_nodes=2": "hydra/launcher=joblib",
    "trainer.num_sanity_val_steps=2": "epoch 0",
    "+trainer.default_root_dir=elsewhere": "hydra.run.dir",
    "+trainer.enable_checkpointing=false": "callbacks=none",
    "+trainer.callbacks=[]": "+callbacks.NAME",
    "+trainer.logger=true": "logger=csv",
    "+trainer.plugins=[]": "trainer=bf16",
    "+trainer.limit_test_batches=0.5": "data.val_size",
    "+trainer.overfit_batches=0.5": "debug=overfit",
    "+callbacks.checkpoint.save_weights_only=true": "go on",
    "+callbacks.last_checkpoint.every_n_train_steps=2": "after whole epochs",
    f"'+callbacks.find={{{CALLBACK}.BatchSizeFinder}}'": "data.batch_size=64",
    f"'+callbacks.find={{{CALLBACK}.LearningRateFinder}}'": "lr=1e-4",
    "ckpt_path=nowhere.ckpt": "no such file",
    "callbacks.checkpoint.filename='e_{epoch}'": "quotes of its own",
    "--config-name=nowhere": "nowhere",
    "trainer=gpu": "trainer=default",
    "optimizer=sgd optimizer.betas=[0.9,0.99]": "there is no such key",
    "+optimizer.eps=-1": "Invalid epsilon",
    "data.val_size=250 data.batch_size=0": "data.batch_size=0",
    "hydra.run.dir=mine": "holds run.json",
    "scheduler=one_cycle +scheduler.scheduler.total_steps=3": "no length of its own",
    "scheduler=cosine +scheduler.scheduler.T_max=1000": "no length of its own",
    "scheduler=one_cycle +scheduler.scheduler.epochs=3": "no length of its own",
    "scheduler=cosine +scheduler.scheduler.last_epoch=5": "scheduler=cosine",
    "scheduler=one_cycle scheduler.scheduler.pct_start=2": "pct_start",
    "scheduler=plateau scheduler.scheduler.factor=2": "Factor",
    "scheduler=cosine scheduler.horizon=[nope]": "nope",
    **dict.fromkeys(
        ("hydra/sweeper/sampler=tpe", "+hydra/sweeper/sampler=tpe", "hydra.sweeper.n_trials=5"),
        "hparams_search=tpe",
    ),
    "hydra.sweeper.storage=null": "hparams_search=tpe",
    "hydra.launcher.n_jobs=2": "hydra/launcher=joblib",
    "hydra.launcher.ray.init.address=auto": "hydra/launcher=ray",
    "model.hidden_sizes=[0]": "whole numbers",
    "model.hidden_sizes=8": "whole numbers",
    "model.hidden_sizes=[8.5]": "whole numbers",
    "dropout=1": "below 1",
    "dropout=-0.1": "0 or more",
    "l1=-1": "0 or more",
    "weight_decay=inf": "0 or more",
    "label_smoothing=1": "below 1",
    "retries=-1": "0 or more",
    "on_failure=ignore": "continue or raise",
    "track_test=maybe": "true or false",
    "data.folds=0": "number of folds",
    "data.fold=3 data.folds=3": "below the number of folds",
    "data.batch_size=0.5": "1 or more",
    "data.eval_batch_size=null": "1 or more",
    "data.split_seed=-1": "0 or more",
    "trainer.max_epochs=0": "1 or more",
    "trainer.max_epochs=null": "1 or more",
    "task_name=a/b": "folder's name",
    "tags=first": "list of words",
    "study.scientific=[lr] study.nuisance=[lr]": "both have lr",
    "regularization=[batch_norm,layer_norm]": "one normalization",
    "+callbacks.mine={_target_:nowhere.Mine}": "nowhere",
    "task._target_=nowhere.Task": "there is no module nowhere. Needed: MODULE.CLASS",
    "model._target_=Net": "there is no module Net",
    "model._target_=fcnlab.nets.FNC": "fcnlab.nets has no FNC. Did you mean FCN?",
    "data._target_=fcnlab.synthetic.synthesize": "it does not take batch_size, ",
    "~model._target_": "needed: the class of the network",
    "'+augmentation.mine={p:1}'": "each with a _target_",
    "'+logger.mine={project:mine}'": "each with a _target_",
    "schema=nowhere.Keys": "nowhere",
    "+nonsense=1": "nonsense: there is no such key",
    "+model.nonsense=1": "nonsense: there is no such key",
    "lr=0.1,0.2": "-m",
    "init_from=nowhere.ckpt": "no such file",
}
"""At least sixty, each refused with every file as it was."""


def is_late(settings: str) -> bool:
    """Tell whether the untrained network shows what is wrong, or Lightning when it begins to train."""
    return settings == "metric=val/nonsense mode=max"


@pytest.mark.filterwarnings("ignore:.*(AMP with fp16|historical reasons)")
@pytest.mark.parametrize("settings", every(8, REFUSED))
def test_what_cannot_be_honoured_is_refused(settings: str, command: Command, tmp_path: Path) -> None:
    earlier = [f"outputs/runs/tiny/{name}" for name in (MARK, "run.json", BEST, LAST, "train.log")]
    for name in ("mine/run.json", *earlier):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    before = contents(tmp_path)
    refused = command("train.py", *TINY, *shlex.split(settings))
    assert refused.status == 1
    assert is_late(settings) or contents(tmp_path) == before
    assert REFUSED[settings] in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
