"""What the settings of a launcher may be, before anything is submitted."""

import sys
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import SHORT, Command
from hydra_plugins.overnight_launchers import ProcessLauncher
from overnight.config.errors import ConfigError
from overnight.config.folders import SHIPPED
from overnight.config.keys import Section
from overnight.config.launcher_keys import RayInitKeys, RayRemoteKeys, SlurmKeys, check_settings
from overnight.config.overrides import parse_overrides
from overnight.config.resolvers import cores

CHECKED_ELSEWHERE = {"_target_", "submitit_folder", "tasks_per_node", "nodes"}


@pytest.mark.parametrize(("n_jobs", "meant"), [(3, 3), (10_000, 10_000), (-1, cores()), (None, cores())])
def test_joblib_takes_its_jobs_as_joblib_does(n_jobs: int | None, meant: int) -> None:
    assert ProcessLauncher(n_jobs, 1).n_jobs == meant
    assert ProcessLauncher(-cores(), 1).n_jobs == 1


NO_JOBS = ["n_jobs=0", "n_jobs=two", "n_jobs=-999", "n_jobs=1.5", "n_jobs=true", "threads=0"]


@pytest.mark.parametrize("wrong", NO_JOBS)
def test_joblib_refuses_what_is_no_number_of_jobs(wrong: str, command: Command) -> None:
    sweep = ["-m", *SHORT, "seed=0,1", "hydra/launcher=joblib"]
    result = command("train.py", *sweep, f"hydra.launcher.{wrong}")
    assert result.status == 1
    given = wrong.replace("true", "True")
    assert result.stderr.startswith(f"Error: hydra.launcher.{given}: needed: a whole number, 1 or more")
    assert "Type for example: hydra.launcher." in result.stderr
    assert "\n" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", ["-1", "null"])
def test_a_sweep_may_have_all_cores(n_jobs: str, command: Command) -> None:
    sweep = ["-m", *SHORT, "seed=0,1", "hydra/launcher=joblib", f"hydra.launcher.n_jobs={n_jobs}"]
    assert command("train.py", *sweep).status == 0


CHECKED: dict[str, tuple[type[Section], str]] = {
    "submitit_slurm": (SlurmKeys, "hydra.launcher"),
    "ray init": (RayInitKeys, "hydra.launcher.ray.init"),
    "ray remote": (RayRemoteKeys, "hydra.launcher.ray.remote"),
}
UNUSABLE = {
    "submitit_slurm": """
        timeout_min=two timeout_min=0 cpus_per_task=0 gpus_per_node=-1 mem_gb=lots mem_gb=-1 mem_gb=inf name=5
        stderr_to_stdout=maybe partition=[a,b] signal_delay_s=soon max_num_timeout=-1 array_parallelism=0
        additional_parameters=abc setup=abc setup=5
    """,
    "ray init": """
        num_cpus=two num_cpus=0 object_store_memory=5 log_to_driver=maybe logging_level=LOUD address=[a]
        include_dashboard=1
    """,
    "ray remote": "num_cpus=two num_gpus=-1 max_calls=-1 max_retries=-2",
}
CASES = [(section, wrong) for section, all_wrong in UNUSABLE.items() for wrong in all_wrong.split()]


def defaults(section: str) -> dict[str, Any]:
    """Return the settings in a section of a launcher's file; Hydra would resolve the name of a Slurm job."""
    launcher, *inner = section.split()
    file = OmegaConf.load(SHIPPED / "hydra" / "launcher" / f"{launcher}.yaml")
    config: Any = OmegaConf.to_container(file, resolve=False)
    keys = config["ray"][inner[0]] if inner else config
    return {key: value for key, value in keys.items() if key not in CHECKED_ELSEWHERE}


@pytest.mark.parametrize(("section", "wrong"), CASES)
def test_a_launcher_refuses_a_wrong_setting_in_its_own_words(section: str, wrong: str) -> None:
    model, prefix = CHECKED[section]
    (override,) = parse_overrides([wrong])
    name = f"{prefix}.{override.key_or_group}="
    with pytest.raises(ConfigError) as caught:
        check_settings(model, defaults(section) | {override.key_or_group: override.value()}, prefix)
    assert str(caught.value).startswith(name)
    assert f"Type for example: {name}" in str(caught.value)


@pytest.mark.parametrize("section", CHECKED)
def test_every_setting_of_a_launcher_is_checked_and_its_defaults_are_right(section: str) -> None:
    model, _ = CHECKED[section]
    assert set(defaults(section)) == set(model.model_fields)
    check_settings(model, defaults(section))


@pytest.mark.parametrize(
    ("launcher", "wrong"), [("submitit_slurm", "mem_gb"), ("ray", "ray.remote.num_cpus")]
)
def test_a_wrong_setting_submits_nothing(launcher: str, wrong: str, command: Command) -> None:
    sweep = ["-m", *SHORT, "seed=0,1", f"hydra/launcher={launcher}"]
    result = command("train.py", *sweep, f"hydra.launcher.{wrong}=lots")
    assert result.status == 1
    assert result.stderr.startswith(f"Error: hydra.launcher.{wrong}=lots: needed: a number")


@pytest.mark.parametrize(
    ("launcher", "module", "library", "extra"),
    [("ray", "ray_cluster", "ray", "ray"), ("submitit_slurm", "slurm", "submitit", "slurm")],
)
def test_what_is_not_installed_is_named(
    launcher: str, module: str, library: str, extra: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"overnight.launchers.{module}", raising=False)
    result = command("train.py", *SHORT, "-m", "seed=0,1", f"hydra/launcher={launcher}")
    assert result.status == 1
    assert result.stderr.endswith(f"needs {library}: not installed. Type: pip install '.[{extra}]'")
