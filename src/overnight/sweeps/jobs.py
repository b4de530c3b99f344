"""The jobs of a sweep, composed and checked by its sweeper before anything is written, said or run."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from overnight.config.errors import ConfigError
from overnight.config.explanations import explain
from overnight.config.of_data import asked
from overnight.config.schema import check
from overnight.config.unused import refuse_unused
from overnight.records.sweep_state import refuse_foreign_sweep

Batch = Sequence[Sequence[str]]
"""The overrides of each job."""

JUDGED_BY_CLASSES = ("+", "callbacks.", "~callbacks.", "init_from=", "ckpt_path=")
"""With what an override begins that only what is built can judge; so can only a ``_target_``."""

ANYWHERE = {None, "auto", "cpu"}
"""Accelerators that every machine has."""

PARTS = {"callbacks", "logger"}
"""Sections that nothing else judges, which take as long to resolve as all others."""


def refuse(context: HydraContext, config: DictConfig, jobs: Batch) -> None:
    """Refuse a sweep one of whose jobs would be refused if it were run by itself.

    Raises:
        ConfigError: says all that is wrong, and names the first job in which something is.
        FileExistsError: the sweep's folder holds files that no sweep wrote.
    """
    if not jobs:
        raise ConfigError("the sweep has no jobs. Needed: a list, a range or a glob that gives values")
    refuse_foreign_sweep(Path(config.hydra.sweep.dir))
    refuse_one_folder(config, len(jobs))
    built: dict[str, str] = {"": ""}
    wrong = [(job, said) for job in jobs if (said := complaint(context, config, job, built))]
    if wrong:
        lines = dict.fromkeys(line for _, said in wrong for line in said.splitlines())
        raise ConfigError(
            f"{len(wrong)} of {len(jobs)} jobs cannot be run, so none was. "
            f"The first is: {describe(wrong[0][0], jobs)}.\n" + "\n".join(lines)
        )


def refuse_one_folder(config: DictConfig, jobs: int) -> None:
    """Refuse a ``hydra.sweep.subdir`` that is one for all jobs, or leads out of the sweep's (ConfigError)."""
    sweep: Any = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    subdir = str(sweep["subdir"])
    if ".." in Path(subdir).parts or Path(subdir).is_absolute() or ("${" not in subdir and jobs > 1):
        raise ConfigError(
            f"hydra.sweep.subdir={subdir}: needed: a folder in that of the sweep, another one for each job. "
            f"Leave it out, or type for example: 'hydra.sweep.subdir=${{hydra.job.num}}'"
        )


def complaint(
    context: HydraContext, config: DictConfig, overrides: Sequence[str], built: dict[str, str]
) -> str:
    """Say what is wrong with a job; "" if nothing is.

    ``built`` is what was wrong with the parts that were built for earlier jobs: none is built twice.
    """
    judged = [text for text in overrides if text.startswith(JUDGED_BY_CLASSES) or "_target_" in text]
    try:
        composed = load(context, config, overrides)
        resolved = resolve(composed, set() if judged else PARTS)
        refuse_unused(composed, composed.hydra)
        check(resolved, built=bool(judged))
        parts = to_be_built(resolved, judged)
        if parts not in built:
            built[parts] = unbuildable(resolve(composed), Path(config.hydra.sweep.dir))
    except ConfigError as error:
        return str(error)
    except (HydraException, OmegaConfBaseException, ImportError) as error:
        return explain(error)
    return built[parts]


def to_be_built(config: dict[str, Any], judged: Sequence[str]) -> str:
    """Return what stands for the parts that must be built to be judged, "" if there are none.

    To build imports torch. It is done for a task that asks the data for its sizes, for other callbacks or
    checkpoints than usual, and for an accelerator that this machine may not have.
    """
    asks = [config["data"] | {"seed": None}] if any(asked(config["task"])) else []
    accelerator = config["trainer"].get("accelerator")
    special = [] if accelerator in ANYWHERE else [accelerator]
    return repr((asks, judged, special)) if asks or judged or special else ""


def unbuildable(config: dict[str, Any], directory: Path) -> str:
    """Build the parts of a run, and say why they cannot be; imports here, since most sweeps need no torch."""
    from overnight.runs.origin import make_absolute  # noqa: PLC0415
    from overnight.training.checkpoints import read_checkpoint  # noqa: PLC0415
    from overnight.training.history import History  # noqa: PLC0415
    from overnight.training.parts import build, build_trainer, load_weights  # noqa: PLC0415

    make_absolute(config)
    try:
        task, _ = build(config)
        build_trainer(config | {"logger": {}}, directory, History(config))
        load_weights(task, config["init_from"])
        if config["ckpt_path"] not in (None, "last"):
            read_checkpoint(config["ckpt_path"])
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def compose(context: HydraContext, config: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the resolved configuration of a job."""
    return resolve(load(context, config, overrides))


def load(context: HydraContext, config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a job, not resolved, with the sweep's folder in place of its own."""
    loader: Any = context.config_loader  # a sweeper's
    composed: DictConfig = loader.look_ahead(config, overrides)
    with read_write(composed.hydra.runtime), open_dict(composed.hydra.runtime):
        composed.hydra.runtime.output_dir = composed.hydra.sweep.dir
    return composed


def resolve(composed: DictConfig, unresolved: Container[str] = ()) -> dict[str, Any]:
    """Return a configuration without Hydra's part, resolved but for the keys that are to stay as they are."""
    hydra_config: Any = HydraConfig.instance()
    outer, hydra_config.cfg = hydra_config.cfg, composed
    try:
        keys = [str(key) for key in composed if key != "hydra"]
        return {key: plain(composed, key, resolve=key not in unresolved) for key in keys}
    finally:
        hydra_config.cfg = outer


def plain(config: DictConfig, key: str, *, resolve: bool) -> Any:
    """Return the value of a key without OmegaConf's classes; to copy all keys at once takes much longer."""
    value = config[key]
    if not OmegaConf.is_config(value):
        return value
    return OmegaConf.to_container(value, resolve=resolve, throw_on_missing=resolve)


def describe(job: Sequence[str], jobs: Batch) -> str:
    """Return the overrides of a job that not all jobs have; those of the only one."""
    common = set(jobs[0]).intersection(*jobs) if len(jobs) > 1 else set()
    return " ".join(text for text in job if text not in common)
