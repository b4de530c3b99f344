"""Packages of which a checkpoint may build things, and the command that trusts it with others, too."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from overnight.config.commands import command
from overnight.config.folders import project
from overnight.records.identity import targets
from overnight.records.record import read_record

HOMES = ("torch.nn", "torch.optim", "torchmetrics", "torchvision", "lightning.pytorch", "overnight")
"""Where the things that may be built are defined, whatever name leads to them; and in the project itself."""
NOT_CALLED = ("torch", "torchmetrics", "lightning", "overnight")
"""Whose functions no file may call, whoever trusts them: some run the code that they are given."""
REPLACED = ("profiler", "logger")
"""Parts of a Trainer that are not built when a checkpoint is measured."""


def own_packages() -> Iterator[str]:
    """Yield the names of the packages in ``src`` of this checkout."""
    sources = {project() / "src", Path(__file__).parents[2]}
    files = (file for source in sources if source.name == "src" for file in source.glob("*/*.py"))
    yield from sorted({file.parent.name for file in files})


def built_again(config: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a configuration that are built to measure a checkpoint."""
    parts = {key: config[key] for key in ("task", "data", "trainer") if key in config}
    trainer = {key: value for key, value in parts.pop("trainer", {}).items() if key not in REPLACED}
    return parts | {"trainer": trainer}


def eval_command(directory: str, checkpoint: str) -> str:
    """Return the command that measures a checkpoint of one's own run, and trusts what the run has built."""
    foreign = foreign_packages(directory)
    trust = [f"trust=[{','.join(foreign)}]"] if foreign else []
    return command("eval.py", f"ckpt_path={directory}/{checkpoint}", *trust)


def report_command(directory: Path, run: str) -> str:
    """Return the command that reports one's own sweep, and trusts what this run of it has built."""
    foreign = foreign_packages(run)
    return command("report.py", directory, *(["--trust", ",".join(foreign)] if foreign else []))


def foreign_packages(directory: str) -> list[str]:
    """Return the packages of which a run has built things, and that are not trusted by themselves."""
    record = read_record(Path(directory))
    return untrusted_packages(record["config"]) if record and record.get("config") else []


def untrusted_packages(config: dict[str, Any], trust: Iterable[str] = ()) -> list[str]:
    """Return the packages whose things a configuration builds, and that nobody has trusted.

    To call a function, in lower case by custom, its package must be trusted by name.
    """
    known = {home.partition(".")[0] for home in (*HOMES, *own_packages())}
    built = {target.partition(".")[::2] for target in targets(built_again(config))}
    calls = {package for package, name in built if name.rpartition(".")[2][:1].islower()}
    asked = ({package for package, _ in built} - known) | calls.difference(NOT_CALLED)
    return sorted(asked - {name.partition(".")[0] for name in trust})
