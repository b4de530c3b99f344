"""A checkpoint from a stranger builds nothing that could do harm."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

import forks
from commands import SHORT, Command
from experiments import Compose
from overnight.config.errors import ConfigError
from overnight.config.packages import untrusted_packages
from overnight.runs.examine import Examiner
from overnight.training import trust
from overnight.training.checkpoints import load_task
from overnight.training.trust import tell_of_unbuildable, trusted

FUNCTIONS = (
    *("os.system", "os.popen", "subprocess.run", "builtins.exec", "builtins.eval", "builtins.open"),
    *(
        "pathlib.Path.write_text",
        "pathlib.Path",
        "shutil.rmtree",
        "importlib.import_module",
        "runpy.run_path",
    ),
    *(
        "pickle.load",
        "numpy.load",
        "joblib.load",
        "pandas.read_pickle",
        "functools.partial",
        "webbrowser.open",
    ),
    *("torch.load", "torch.save", "torch.hub.load", "torch.nn.modules.module.torch.load", "torch.compile"),
    *("torch.utils.cpp_extension.load", "torch.jit.load", "torch.jit.ScriptModule", "torch.fx.GraphModule"),
    *("torch.nn.init.math.sqrt", "torch.nn.init._no_grad_fill_", "torchvision.datasets.MNIST"),
    *("torchvision.datasets.utils.download_url", "lightning.pytorch.loggers.CSVLogger", "lightning.Fabric"),
    *("lightning.LightningModule.load_from_checkpoint", "hydra.utils.instantiate", "hydra.utils.call"),
)
OURS = (
    *(
        "overnight.records.record.write_record",
        "overnight.records.record.set_aside",
        "overnight.config.cli.launch",
    ),
    *("overnight.records.sweep_state.stop", "overnight.records.lock.locked", "overnight.study.report.write"),
    *("overnight.runs.environment.subprocess.run", "overnight.training.checkpoints.torch.load"),
    *(
        "overnight.training.parts.build",
        "overnight.training.saving.AtomicCheckpointIO",
        "overnight.runs.run.run",
    ),
    *(
        "fcnlab.synthetic.synthesize",
        "overnight.training.optimizers.refuse_optimizer",
        "fcnlab.task.hydra.utils.instantiate",
    ),
    *("forks.anything", "hydra_plugins.overnight_launchers.ProcessLauncher"),
)
PLACES = (
    "task.loss",
    "task.net.activation",
    "task.optimizer.params.0.more",
    "data.source",
    "trainer.strategy",
)


def put(config: dict[str, Any], place: str, node: Any) -> dict[str, Any]:
    """Return a copy with this node at a dotted place; a 0 makes a list."""
    changed = deepcopy(config)
    *way, last = place.split(".")
    inner: Any = changed
    for key in way:
        if key == "0":
            inner.append({})
            inner = inner[0]
        else:
            inner = inner.setdefault(key, [] if "0" in way[way.index(key) + 1 :][:1] else {})
    inner[last] = node
    return changed


def targets() -> Iterator[tuple[str, str]]:
    for number, target in enumerate((*FUNCTIONS, *OURS)):
        yield target, PLACES[number % len(PLACES)]


@pytest.mark.parametrize(("target", "place"), targets())
def test_a_hostile_target_is_refused_wherever_it_stands(target: str, place: str, compose: Compose) -> None:
    config = put(compose(), place, {"_target_": target, "_args_": ["harm"]})
    with pytest.raises((ConfigError, ImportError)):
        trusted(config, trust=["forks"])


def test_a_package_is_not_even_imported(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hostile.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"trust=\[hostile\]"):
        trusted(put(compose(), "task.loss", {"_target_": "hostile.Loss"}))


@pytest.mark.parametrize("text", ["${oc.create:{_target_:os.system}}", "${oc.env:HOME}"])
def test_an_interpolation_is_refused(text: str, compose: Compose) -> None:
    with pytest.raises(ConfigError, match="interpolation"):
        trusted(put(compose(), "task.loss", text))


@pytest.mark.parametrize(
    "typed",
    [
        "regularization=[dropout,batch_norm,l1]",
        "scheduler=one_cycle",
        "metrics=calibration",
        "debug=profiler",
        "+loss.train.weight={_target_:torch.tensor,data:[1,2.5]}",
        "task.eval_loss={_target_:torch.nn.functional.cross_entropy,_partial_:true}",
        "+task.net.shape={_target_:torch.nn.functional.gelu,_partial_:true}",
    ],
)
def test_what_a_run_of_ours_saves_is_built(typed: str, compose: Compose) -> None:
    config = compose(typed)
    assert trusted(config) == config


@pytest.mark.parametrize("target", ["torchvision.models.resnet18", "forks.make_net"])
def test_a_function_that_makes_a_network_is_called_if_its_package_is_trusted_by_name(
    target: str, compose: Compose
) -> None:
    config = put(compose(), "task.net", {"_target_": target})
    package = target.partition(".")[0]
    with pytest.raises(ConfigError, match=rf"trust=\[{package}\]"):
        trusted(config)
    assert trusted(config, trust=[package]) == config
    assert untrusted_packages(config) == [package]  # so that printed commands have it


@pytest.mark.parametrize(
    "target",
    [
        "torch.fx.graph_module.reduce_graph_module",
        "torch.fx.symbolic_trace",
        "overnight.training.parts.build_task",
    ],
)
def test_a_function_that_runs_what_it_is_given_is_not_called_whoever_is_trusted(
    target: str, compose: Compose
) -> None:
    config = put(compose(), "task.net", {"_target_": target})
    assert untrusted_packages(config) == []  # nobody is told to trust it
    for names in ([], ["torch", "overnight"]):
        with pytest.raises(ConfigError, match=f"_target_={target}: a file may name modules") as refused:
            trusted(config, names)
        assert "If you trust it" not in str(refused.value)


def test_a_function_that_is_marked_is_called(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    config = put(compose(), "task.loss", {"_target_": "forks.anything"})
    monkeypatch.setattr(trust, "BUILDABLE", [*trust.BUILDABLE])
    trust.buildable(forks.anything)
    assert trusted(config, ["forks"]) == config


def test_what_could_not_be_measured_is_said_before_it_is_trained(
    compose: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    for typed in ("", "model._target_=forks.Residual", "metrics=f1"):
        tell_of_unbuildable(compose(*typed.split()))
    assert caplog.messages == []
    tell_of_unbuildable(put(compose(), "task.loss", {"_target_": "forks.anything"}))
    assert "eval.py will not measure this run: _target_=forks.anything" in caplog.text


def test_callbacks_of_a_checkpoint_are_not_even_imported(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("train.py", *SHORT, "hydra.run.dir=run", "trainer.max_epochs=1")
    path = tmp_path / "run" / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    config = put(checkpoint["config"], "callbacks.hostile", {"_target_": "hostile.Callback"})
    torch.save(checkpoint | {"config": config}, path)
    (tmp_path / "hostile.py").write_text("raise SystemExit('harm')")
    monkeypatch.syspath_prepend(tmp_path)
    assert command("eval.py", f"ckpt_path={path}", "accelerator=cpu").status == 0


def test_a_checkpoint_with_a_hostile_target_harms_nobody(command: Command, tmp_path: Path) -> None:
    command("train.py", *SHORT, "task_name=run", "trainer.max_epochs=1")
    path = tmp_path / "outputs" / "runs" / "run" / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    hostile = {
        "_target_": "pathlib.Path.write_text",
        "_args_": [{"_target_": "pathlib.Path", "_args_": ["harm"]}, "x"],
    }
    config = put(checkpoint["config"], "task.loss", hostile)
    torch.save(checkpoint | {"config": config}, path)
    refused = command("eval.py", f"ckpt_path={path}", "accelerator=cpu")
    assert (refused.status, "a file may name" in refused.stderr) == (1, True)
    for build in (
        lambda: load_task(path),
        lambda: Examiner().close_up(path),
        lambda: Examiner().permuted([path], "val/acc", 1),
        lambda: Examiner().signals(config),
    ):
        with pytest.raises(ConfigError):
            build()
    assert "Errors of the best run" in command("report.py", str(path.parents[1])).stdout  # not drawn
    assert not (tmp_path / "harm").exists()
