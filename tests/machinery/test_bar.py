"""What the bar of a stacked sweep says."""

import io
import re
import sys

import pytest

from overnight.stacked.bar import Bar, Epoch, Trained


def test_a_line_for_each_group_and_the_time_of_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar([30, 30], [1, 1]) as bar:
        bar.hear(Epoch(group=0, epoch=1, members=10))
        bar.hear(Epoch(group=0, epoch=2, members=5))  # the others have stopped early
        bar.hear(Trained(0))
        bar.hear(Epoch(group=1, epoch=1, members=30))
        bar.hear(Trained(1))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("group 1/2: 15 models x epochs; ")
    assert second.startswith("group 2/2: 30 models x epochs; ")
    assert second.endswith("(0:00 left)")


def test_a_large_network_is_given_more_of_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    left = []
    for cost in (1, 1_000_000):
        with Bar([10, 10], [1, cost]) as bar:
            bar.hear(Epoch(group=0, epoch=1, members=10))
            bar.hear(Trained(0))
        minutes, seconds = re.findall(r"\((\d+):(\d\d) left", capsys.readouterr().out)[0]
        left.append(60 * int(minutes) + int(seconds))
    assert left[0] < left[1]


def test_a_group_that_trained_nothing_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar([30], [1]) as bar:
        bar.hear(Trained(0))
    assert capsys.readouterr().out == ""


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[bold]:x: " + "long " * 100 + "\n"
    with Bar([1], [1]) as bar:
        bar.hear(text)
    assert capsys.readouterr().out == text


class Broken(io.StringIO):
    """A terminal that is gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_training_goes_on_where_nothing_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    with Bar([30], [1]) as bar:
        bar.hear("a line\n")
        bar.hear(Epoch(group=0, epoch=1, members=30))
        bar.hear(Trained(0))
