"""What ``teamops demo`` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from teamops.cli.demo import demo
from teamops.demo.folder import parent_folder
from teamops.model.errors import UsageError

REFUSED = [
    pytest.param(["--json"], "--headless", id="json on a screen"),
    pytest.param(["--seconds", "5"], "--headless", id="seconds on a screen"),
    pytest.param([], "terminal", id="no terminal"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_starts(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(demo, arguments)
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)
    assert not list(parent_folder().glob("team-*"))


@pytest.mark.parametrize("pace", ["0", "-1", "nan", "1e9", "fast"])
def test_a_pace_has_to_be_a_sensible_number(pace: str) -> None:
    result = CliRunner().invoke(demo, ["--headless", "--seconds", "1", "--pace", pace])
    assert result.exit_code == 2 or isinstance(result.exception, UsageError)
    assert not list(parent_folder().glob("team-*"))


def test_help_names_the_words_that_agents_know() -> None:
    text = CliRunner().invoke(demo, ["--help"]).output
    for word in ("sleep", "wake", "dialog", "--pace", "--headless"):
        assert word in text


def test_nothing_is_left_in_the_folder_that_it_was_called_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(demo, ["--json"])
    assert list(tmp_path.iterdir()) == []
