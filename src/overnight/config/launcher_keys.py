"""Which values the settings of a launcher may have; the libraries behind them refuse in their own words."""

import math
from typing import Annotated, Any, Literal

from overnight.config.errors import ConfigError
from overnight.config.keys import Section, must_be
from overnight.config.schema import invalid

LEAST = 78_643_200
"""Bytes that Ray needs for its objects."""

WholeOrNull = Annotated[int | None, must_be("a whole number, 1 or more, or null", 2, ge=1)]
CountOrNull = Annotated[int | None, must_be("a whole number, 0 or more, or null", 0, ge=0)]
AmountOrNull = Annotated[float | None, must_be("a number above 0, or null", 4, gt=0, lt=math.inf)]
ShareOrNull = Annotated[float | None, must_be("a number, 0 or more, or null", 1, ge=0, lt=math.inf)]
WordOrNull = Annotated[str | int | None, must_be("a word, or null", "null")]
TruthOrNull = Annotated[bool | None, must_be("true or false", "true")]
BytesOrNull = Annotated[int | None, must_be(f"bytes, at least {LEAST}, or null", "null", ge=LEAST)]
Level = Annotated[Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"], must_be("a level", "ERROR")]


class SlurmKeys(Section):
    """The keys of ``conf/hydra/launcher/submitit_slurm.yaml``."""

    timeout_min: WholeOrNull
    cpus_per_task: WholeOrNull
    gpus_per_node: CountOrNull
    mem_gb: AmountOrNull
    name: Annotated[str, must_be("a word", "sweep")]
    stderr_to_stdout: TruthOrNull
    partition: WordOrNull
    qos: WordOrNull
    comment: WordOrNull
    constraint: WordOrNull
    exclude: WordOrNull
    gres: WordOrNull
    cpus_per_gpu: WholeOrNull
    gpus_per_task: WordOrNull
    mem_per_gpu: WordOrNull
    mem_per_cpu: WordOrNull
    account: WordOrNull
    signal_delay_s: WholeOrNull
    max_num_timeout: CountOrNull
    additional_parameters: Annotated[
        dict[str, Any] | None, must_be("parameters by their names, or null", "{reservation:NAME}")
    ]
    array_parallelism: WholeOrNull
    setup: Annotated[list[str] | None, must_be("a list of commands, or null", '["module load cuda"]')]


class StackedKeys(Section):
    """The keys of ``conf/hydra/launcher/stacked.yaml``."""

    groups_at_a_time: WholeOrNull
    max_members: Annotated[int, must_be("a whole number, 2 or more", 14, ge=2)]
    memory_gb: Annotated[float, must_be("a number above 0", 4.0, gt=0, lt=math.inf)]


class RayInitKeys(Section):
    """Arguments of ``ray.init``."""

    address: Annotated[str | None, must_be("local, auto or HOST:PORT", "local")]
    num_cpus: WholeOrNull
    num_gpus: CountOrNull
    object_store_memory: BytesOrNull
    include_dashboard: TruthOrNull
    logging_level: Level
    log_to_driver: TruthOrNull


class RayRemoteKeys(Section):
    """Arguments of ``ray.remote``."""

    num_cpus: ShareOrNull
    num_gpus: ShareOrNull
    max_calls: CountOrNull
    max_retries: Annotated[int | None, must_be("a whole number, -1 (any number) or more", 0, ge=-1)]


def check_settings(model: type[Section], settings: Any, section: str = "hydra.launcher") -> None:
    """Check the settings in a section; a ConfigError names all that are wrong, and what to type."""
    if not isinstance(settings, dict):
        raise ConfigError(f"{section}={settings}: needed: settings by their names. Leave it out")
    if wrong := dict.fromkeys(invalid(model, settings, section=f"{section}.")):
        raise ConfigError("\n".join(wrong))
