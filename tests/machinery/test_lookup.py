"""What a ``_target_`` names and what there is not: the part that is wrong is named."""

from pathlib import Path

import pytest

from overnight.config.errors import ConfigError
from overnight.config.folders import find_config
from overnight.config.lookup import why_not_found

MISSING = {
    "Net": "there is no module Net. Needed: MODULE.CLASS",
    "nowhere.Net": "there is no module nowhere. Needed",
    "lightning.nowhere.Net": "lightning has no nowhere. Needed",
    "torch.nn.Linaer": "torch.nn has no Linaer. Did you mean Linear? Needed",
    "unfinished.Net": "unfinished cannot be imported (SyntaxError: ",
    "poor.Net": "poor cannot be imported (No module named 'package_that_is_not_there')",
}


@pytest.mark.parametrize("target", MISSING)
def test_what_is_wrong_with_a_target_is_named(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "unfinished.py").write_text("class Net(:\n")
    (tmp_path / "poor.py").write_text("import package_that_is_not_there\n")
    assert why_not_found(target).startswith(MISSING[target])


def test_an_entry_script_without_a_configuration_of_its_name_is_told_so() -> None:
    with pytest.raises(ConfigError, match=r"there is no conf/mine.yaml. Needed: a main configuration"):
        find_config("mine")
