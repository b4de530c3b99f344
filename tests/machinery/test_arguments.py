"""What was typed behind a script's name."""

import shlex
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

from overnight.config.arguments import arranged, expand_home, quote_paths
from overnight.config.errors import ConfigError
from overnight.config.overrides import parse_overrides, quote_value, write_value

ANYWHERE = {
    "in front": ("-m a=1 b=2", "-m a=1 b=2"),
    "at the end": ("a=1 b=2 -m", "a=1 b=2 -m"),
    "in the middle": ("a=1 -m b=2", "a=1 b=2 -m"),
    "with a value": ("a=1 --cfg job b=2", "a=1 b=2 --cfg job"),
    "several": ("a=1 -cn train b=2 --multirun c=3", "a=1 b=2 c=3 -cn train --multirun"),
    "with an equals sign": ("a=1 --config-dir=x b=2", "a=1 b=2 --config-dir=x"),
    "one that may have a value": ("a=1 --info", "a=1 --info"),
    "no override": ("-m", "-m"),
}


@pytest.mark.parametrize(("typed", "meant"), ANYWHERE.values(), ids=ANYWHERE.keys())
def test_options_may_stand_anywhere(typed: str, meant: str) -> None:
    assert arranged(typed.split()) == meant.split()
    get_args_parser().parse_args(arranged(typed.split()))


HOMES = {
    "ckpt_path=~/a.ckpt": "ckpt_path=HOME/a.ckpt",
    "ckpt_path=~/a,~/b": "ckpt_path=HOME/a,HOME/b",
    'hydra.run.dir="~/mine"': 'hydra.run.dir="HOME/mine"',
    "data.root=$HOME/x": "data.root=HOME/x",
    "data.root=${HOME}/x": "data.root=HOME/x",
    "+a={path:~/x}": "+a={path:HOME/x}",
    "tags=[~/x]": "tags=[HOME/x]",
    "--config-dir=~/conf": "--config-dir=HOME/conf",
    "~/outputs": "HOME/outputs",
    "~logger": "~logger",
    "task_name=lr~/x": "task_name=lr~/x",
    "task_name=~": "task_name=~",
}


@pytest.mark.parametrize(("typed", "meant"), HOMES.items(), ids=HOMES.keys())
def test_a_path_may_begin_at_home(typed: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expand_home(typed) == meant.replace("HOME", "/home/me")


AWKWARD = [
    "a=b,c=d",
    "it's",
    "a b",
    "why? not*",
    "~x",
    "$HOME",
    'the "best"',
    "ü",
    "back\\slash",
    "[a]",
    "two\nlines",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_path_that_exists_is_read_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (name, "plain"):
        Path(folder).mkdir()
        Path(folder, "x.ckpt").touch()
    (one,) = parse_overrides([quote_paths(f"ckpt_path={name}/x.ckpt")])
    assert str(one.value()) == f"{name}/x.ckpt"
    (both,) = parse_overrides([quote_paths(f"ckpt_path=plain/x.ckpt,{name}/x.ckpt")])
    assert [*both.sweep_string_iterator()] == ["plain/x.ckpt", quote_value(f"{name}/x.ckpt")]
    (found,) = parse_overrides([quote_paths("ckpt_path=*/x.ckpt")])
    assert {*found.sweep_string_iterator()} == {*both.sweep_string_iterator()}


@pytest.mark.parametrize(
    "text", [*AWKWARD, "007", "null", "true", "1e3", "", " a ", "a\\", "\\'", "'a'", "a,b"]
)
def test_any_text_is_written_so_that_hydra_reads_it_as_that(text: str) -> None:
    (override,) = parse_overrides([f"key={write_value(text)}"])
    value = override.value()
    assert getattr(value, "text", value) == text


@pytest.mark.parametrize("text", ["mine", "2026-11-26_10-11-12-345678", "W/10-11-12-345678", "/data/x"])
def test_a_plain_text_is_written_without_quotes(text: str) -> None:
    assert write_value(text) == text


def test_values_that_are_no_paths_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("0.1", "0.2"):
        Path(name).touch()
    lrs = "lr=" + ",".join(f"{number}e-3" for number in range(1, 200))
    for typed in (
        lrs,
        "lr=0.1,0.2",
        "lr=0.1",
        "optimizer=sgd,adam",
        "tags=[a,b]",
        "~logger",
        "ckpt_path='a'",
    ):
        assert quote_paths(typed) == typed


@pytest.mark.parametrize("name", ["best.ckpt", "lr=0.1,seed=0/best.ckpt", "it's mine.ckpt"])
def test_a_path_without_its_key_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).touch()
    with pytest.raises(ConfigError) as refused:
        arranged(["accelerator=cpu", name])
    assert shlex.split(str(refused.value).rpartition("example: ")[2]) == [f"ckpt_path={name}"]
    with pytest.raises(ConfigError, match=r"needed: KEY=VALUE\. Type for example: ckpt_path=nowhere\.ckpt"):
        arranged(["nowhere.ckpt"])
