"""run.json: written whole or not at all, read with suspicion, found again, never overwritten."""

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from overnight.records.atomic import replacing
from overnight.records.identity import fingerprint, is_cosmetic
from overnight.records.record import SCHEMA, Record, read_record, settled_record, write_record

RECORD: Record = {
    "schema": SCHEMA,
    "name": "lr=0.1",
    "status": "completed",
    "fingerprint": "0123456789abcdef",
    "history": [{"epoch": 0, "val/acc": 0.1, "lr": None}, {"epoch": 1, "val/acc": 0.85, "lr": 0.1}],
    "best": {"epoch": 1, "val/acc": 0.85},
    "metric": "val/acc",
    **dict.fromkeys(("mode", "config", "data")),
    "overrides": [],
    "choices": {},
}

CONFIG: dict[str, Any] = {
    "seed": 0,
    "lr": 0.1,
    "task_name": "mine",
    "tags": ["first"],
    "logger": {"csv": {"save_dir": "/a"}},
    "ckpt_path": None,
    "study": {"question": "", "scientific": []},
    "cosmetic": ["data.root"],
    "data": {"root": "/here", "batch_size": 128},
    "callbacks": {"progress_bar": {"enabled": True}, "checkpoint": {"monitor": "val/acc"}},
    "task": {"loss": {"label_smoothing": 0.0}},
}


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return CONFIG with another value for one dotted key."""
    config: dict[str, Any] = json.loads(json.dumps(CONFIG))
    *sections, last = key.split(".")
    node = config
    for section in sections:
        node = node[section]
    node[last] = value
    return config


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert write_record(RECORD, tmp_path) == tmp_path / "run.json"
    assert read_record(tmp_path) == RECORD
    assert files(tmp_path) == ["run.json"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_record_can_be_read_by_whom_the_umask_allows_it(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        assert write_record(RECORD, tmp_path).stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)


def test_a_second_record_replaces_the_first(tmp_path: Path) -> None:
    write_record(RECORD, tmp_path)
    write_record(RECORD | {"name": "lr=0.2"}, tmp_path)
    assert read_record(tmp_path) == RECORD | {"name": "lr=0.2"}
    assert files(tmp_path) == ["run.json"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize(
    ("wrapped", "expected"),
    [
        pytest.param(lambda x: x, None, id="itself"),
        pytest.param(lambda x: [1.0, x], [1.0, None], id="in a list"),
        pytest.param(lambda x: (x, 1.0), [None, 1.0], id="in a tuple"),
        pytest.param(lambda x: {"rows": [{"loss": x}]}, {"rows": [{"loss": None}]}, id="deep down"),
    ],
)
def test_numbers_that_are_not_finite_become_null(
    tmp_path: Path, number: float, wrapped: Any, expected: Any
) -> None:
    write_record(RECORD | {"data": wrapped(number)}, tmp_path)
    assert read_record(tmp_path) == RECORD | {"data": expected}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param(json.dumps(RECORD)[:60], id="half"),
        pytest.param("[1, 2]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param('{"name": "package", "version": "1.0.0"}', id="foreign"),
        pytest.param(json.dumps(RECORD | {"schema": SCHEMA + 1}), id="another schema"),
        pytest.param(json.dumps(RECORD | {"status": "done"}), id="another status"),
        pytest.param(json.dumps(RECORD | {"metric": 5}), id="a number for a metric"),
        pytest.param(json.dumps(RECORD | {"history": None}), id="no history"),
        pytest.param(json.dumps(RECORD | {"best": {"epoch": 1}}), id="best without its metric"),
        pytest.param(json.dumps(RECORD | {"best": {"epoch": 1, "val/acc": "0.9"}}), id="text for a number"),
        pytest.param(json.dumps(RECORD | {"best": {"val/acc": math.inf}}), id="infinity"),
        pytest.param(json.dumps({k: v for k, v in RECORD.items() if k != "fingerprint"}), id="less"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
    ],
)
def test_what_is_no_record_is_not_read(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "run.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert read_record(tmp_path) is None
    assert settled_record(tmp_path, "0123456789abcdef") is None


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_where_there_is_no_record_none_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("text")
    assert read_record(tmp_path / name) is None


def test_a_failed_write_leaves_the_old_record(tmp_path: Path) -> None:
    write_record(RECORD, tmp_path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_record(RECORD | {"best": object()}, tmp_path)
    assert read_record(tmp_path) == RECORD


def test_a_write_that_the_disk_does_not_take_names_its_file(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space") as raised, replacing(tmp_path / "run.json"):
        raise full
    assert raised.value.filename == str(tmp_path / "run.json")


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_record(RECORD | {"best": object()}, tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("task_name", "other", id="task_name"),
        pytest.param("tags", [], id="tags"),
        pytest.param("logger", {}, id="logger"),
        pytest.param("data.root", "/there", id="a cosmetic key of the project"),
        pytest.param("callbacks.progress_bar", {"enabled": False}, id="progress bar"),
        pytest.param("study", {"scientific": ["lr"]}, id="study"),
        pytest.param("study.question", "Which?", id="question"),
    ],
)
def test_fingerprint_ignores_paths_and_looks(key: str, value: Any) -> None:
    assert fingerprint(changed(key, value)) == fingerprint(CONFIG)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("seed", 1, id="seed"),
        pytest.param("lr", 0.1000001, id="lr"),
        pytest.param("data.batch_size", 64, id="nested"),
        pytest.param("callbacks.checkpoint.monitor", "val/loss", id="beside a cosmetic key"),
        pytest.param("task.loss.label_smoothing", 0.1, id="deeply nested"),
        pytest.param("task.tags", ["first"], id="cosmetic name elsewhere"),
        pytest.param("data.logger", {}, id="another cosmetic name elsewhere"),
        pytest.param("new", None, id="new key"),
    ],
)
def test_fingerprint_depends_on_all_else(key: str, value: Any) -> None:
    assert fingerprint(changed(key, value)) != fingerprint(CONFIG)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        *[("study", True), ("study.confirms", True), ("callbacks.progress_bar.enabled", True)],
        *[("callbacks", False), ("studying", False)],
    ],
)
def test_what_lies_below_a_cosmetic_key_is_cosmetic(key: str, expected: bool) -> None:
    assert is_cosmetic(key) is expected


def test_fingerprint_ignores_the_order_of_keys() -> None:
    backwards = dict(reversed(CONFIG.items())) | {"data": dict(reversed(CONFIG["data"].items()))}
    assert list(backwards) != list(CONFIG)
    assert fingerprint(backwards) == fingerprint(CONFIG)


def test_fingerprint_does_not_change_the_config() -> None:
    config = changed("seed", 0)
    fingerprint(config)
    assert config == CONFIG


@pytest.mark.parametrize(
    ("status", "fingerprint", "found"),
    [
        pytest.param("completed", "0123456789abcdef", True, id="completed"),
        pytest.param("completed", "fedcba9876543210", False, id="another configuration"),
        pytest.param("failed", "0123456789abcdef", False, id="failed"),
        pytest.param("diverged", "0123456789abcdef", True, id="diverged"),
    ],
)
def test_only_a_run_of_this_configuration_to_its_end_is_returned(
    tmp_path: Path, status: str, fingerprint: str, found: bool
) -> None:
    record = RECORD | {"status": status}
    write_record(record, tmp_path)
    assert settled_record(tmp_path, fingerprint) == (record if found else None)


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x9b31m", "\x07", "\b", "\f", "\u202e", "\x7f"])
def test_nothing_in_a_record_commands_the_terminal(sign: str, tmp_path: Path) -> None:
    for escaped in (True, False):
        text = json.dumps(RECORD | {"name": f"a{sign}b\n\té日"}, ensure_ascii=escaped)
        (tmp_path / "run.json").write_text(text, encoding="utf-8")
        record = read_record(tmp_path)
        assert record
        assert record["name"] == f"a{sign[1:]}b\n\té日"


@pytest.mark.parametrize("text", [r"\u001b[31m", r"\\u202a", r"C:\beta\u0007", "\\\x1b", r"\x1b"])
def test_what_only_spells_a_control_character_stays(text: str, tmp_path: Path) -> None:
    """A record has the project's uncommitted changes in it, and so whatever is written in code."""
    write_record(RECORD | {"name": text}, tmp_path)
    record = read_record(tmp_path)
    assert record
    assert record["name"] == text.replace("\x1b", "")
