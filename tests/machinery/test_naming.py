"""Names of runs: legible, unique, and folders that every file system takes."""

from itertools import combinations
from pathlib import Path

import pytest

from overnight.records.naming import LIMIT, run_name


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        pytest.param([], "defaults", id="none"),
        pytest.param(["lr=0.01"], "lr=0.01", id="one"),
        pytest.param(["optimizer=sgd", "lr=1e-3"], "lr=1e-3,optimizer=sgd", id="sorted"),
        pytest.param(["data.batch_size=64"], "data.batch_size=64", id="dotted key"),
        pytest.param(["+trainer.limit_train_batches=0.1"], "trainer.limit_train_batches=0.1", id="added key"),
        pytest.param(["model.hidden_sizes=[256,128]"], "model.hidden_sizes=256+128", id="list"),
        pytest.param(["model.hidden_sizes=[256, 128]"], "model.hidden_sizes=256+128", id="list with a space"),
        pytest.param(
            ["regularization=[dropout,batch_norm]"], "regularization=dropout+batch_norm", id="options"
        ),
        pytest.param(["seed=1", "data.seed=2"], "data.seed=2,seed=1", id="keys that end alike"),
        pytest.param(["lr=-1"], "lr=-1", id="sign"),
        pytest.param(["hparams_search=grid"], "defaults", id="search"),
        pytest.param(
            ["hparams_search=grid", "task_name=mine", "tags=[a,b]", "lr=1"],
            "lr=1",
            id="all that name the sweep",
        ),
    ],
)
def test_legible_names(overrides: list[str], expected: str) -> None:
    assert run_name(overrides) == expected


NASTY = {
    "slash": ["ckpt_path=outputs/runs/a/best.ckpt"],
    "other slash": ["ckpt_path=outputs/runs-a/best.ckpt"],
    "backslash": [r"ckpt_path=outputs\runs\a"],
    "parent": ["ckpt_path=../.."],
    "space": ["note='a b'"],
    "no space": ["note='ab'"],
    "dash for a space": ["note='a-b'"],
    "two spaces": ["note='a  b'"],
    "double quotes": ['note="a b"'],
    "umlaut": ["note='ä'"],
    "another umlaut": ["note='ö'"],
    "emoji": ["note='🙂'"],
    "another emoji": ["note='🙃'"],
    "many umlauts": [f"note='{'ü' * 200}'"],
    "newline": ["note='a\nb'"],
    "shell": ["note='$(rm -rf *); ~ & | > < ?'"],
    "null byte": ["note='a\0b'"],
    "long": ["note=" + "x" * 300],
    "long, other end": ["note=" + "x" * 299 + "y"],
    "long, longer": ["note=" + "x" * 301],
    "at the limit": ["note=" + "x" * (LIMIT - 5)],
    "over the limit": ["note=" + "x" * (LIMIT - 4)],
    "many": [f"a.b{number}=1" for number in range(100)],
    "list": ["model.hidden_sizes=[256,128]"],
    "list, other order": ["model.hidden_sizes=[128,256]"],
    "list of one": ["model.hidden_sizes=[256]"],
    "list of digits": ["model.hidden_sizes=[2,56]"],
    "empty list": ["model.hidden_sizes=[]"],
    "list in a list": ["model.hidden_sizes=[[256],[128]]"],
    "dict": ["optimizer={lr:0.1}"],
    "interpolation": ["data.eval_batch_size=${data.batch_size}"],
    "same last part": ["seed=1", "data.seed=2"],
    "same last part, swapped": ["seed=2", "data.seed=1"],
    "same last part, both deep": ["a.seed=2", "data.seed=1"],
    "deleted": ["~callbacks.checkpoint"],
    "empty value": ["note="],
    "null": ["note=null"],
    "equals sign": ["note='a=b'"],
    "comma": ["note='a,b=c'"],
    "comma as two": ["note=a", "b=c"],
    "exponent": ["lr=1e-3"],
    "decimal": ["lr=0.001"],
}


@pytest.mark.parametrize("overrides", NASTY.values(), ids=NASTY.keys())
def test_every_name_is_a_folder(tmp_path: Path, overrides: list[str]) -> None:
    name = run_name(overrides)
    assert 0 < len(name) <= LIMIT
    assert not set(name) & set("/\\\0\n '\"$*?<>|&;")
    (tmp_path / name).mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_other_overrides_have_other_names() -> None:
    names = {case: run_name(overrides) for case, overrides in NASTY.items()}
    assert [pair for pair in combinations(names, 2) if names[pair[0]] == names[pair[1]]] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(["dropout=0.5"], ["dropout=[0.5]"], id="number and list of one"),
        pytest.param(["seed=1"], ["data.seed=1"], id="same last part"),
        pytest.param(["lr=0.1"], ["optimizer.lr=0.1"], id="shared value and its use"),
        pytest.param(["lr=0.1", "lr=0.2"], ["lr=0.2", "lr=0.1"], id="the last one wins"),
    ],
)
def test_what_hydra_tells_apart_has_other_names(one: list[str], other: list[str]) -> None:
    assert run_name(one) != run_name(other)


def test_a_name_of_wide_characters_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / run_name([f"+note='{'日' * 110}'"])).mkdir()


def test_the_order_of_typing_does_not_matter() -> None:
    assert run_name(["lr=1", "optimizer=sgd"]) == run_name(["optimizer=sgd", "lr=1"])


@pytest.mark.parametrize(
    ("overrides", "common", "absent", "expected"),
    [
        (["data=synthetic", "lr=1"], ["data=synthetic"], [], "lr=1"),
        (["data=synthetic", "lr=1"], ["data=synthetic", "lr=1"], [], "defaults"),
        (["data=synthetic", "lr=1"], ["data=synthetic", "lr=2"], [], "lr=1"),
        (["+a=[1, 2]", "lr=1"], ["+a=[1,2]"], [], "lr=1"),
        (["lr=1"], ["data=synthetic"], ["data"], "data=default,lr=1"),
    ],
)
def test_names_carry_what_varies(
    overrides: list[str], common: list[str], absent: list[str], expected: str
) -> None:
    assert run_name(overrides, common=common, absent=absent) == expected
