"""Codex and Gemini CLI are told that the agent's folder is trusted, and a person's own word stays."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from teamops.effects import launch_gemini
from teamops.effects.launch_gemini import DEFAULTS
from teamops.effects.launch_trust import TRUSTED_FOLDERS
from tests.unit.effects.test_launch import made


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CODEX_HOME", "GEMINI_CLI_HOME", DEFAULTS, TRUSTED_FOLDERS):
        monkeypatch.delenv(name, raising=False)


def projects(tmp_path: Path, *own: str) -> object:
    told = [word for word in made(tmp_path, "codex", "codex", *own).argv if word.startswith("projects=")]
    return tomllib.loads(told[0])["projects"] if told else None


def test_codex_is_told_of_the_folder_by_its_very_name(tmp_path: Path) -> None:
    place = tmp_path / 'a.b "é" 😀'
    place.mkdir()
    assert projects(place) == {os.path.realpath(place): {"trust_level": "trusted"}}


@pytest.mark.parametrize("level", ["trusted", "untrusted"])
def test_what_the_person_said_to_codex_stays(tmp_path: Path, level: str) -> None:
    (tmp_path / ".codex").mkdir()
    config = tmp_path / ".codex" / "config.toml"
    config.write_text(f'[projects."{os.path.realpath(tmp_path)}"]\ntrust_level = "{level}"\n')
    assert projects(tmp_path) is None
    config.write_text('[projects."/elsewhere"]\ntrust_level = "untrusted"\n')
    assert projects(tmp_path) is not None
    config.write_text("projects = 7\n[no")
    assert projects(tmp_path) is not None
    words = made(tmp_path, "codex", "codex", "-c", "projects.x=1").argv
    assert [word for word in words if "projects" in word] == ["projects.x=1"]


def rules(tmp_path: Path) -> dict[str, str]:
    how = made(tmp_path, "gemini", "gemini")
    path = Path(how.env[TRUSTED_FOLDERS])
    assert path.is_relative_to(tmp_path / "state")
    found = json.loads(how.files[path])
    assert isinstance(found, dict)
    return found


def test_gemini_is_told_of_the_folder_and_of_the_one_with_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = os.path.realpath(tmp_path)
    assert rules(tmp_path) == {root: "TRUST_FOLDER"}
    monkeypatch.setattr(launch_gemini, "is_of_root", lambda _: True)
    assert rules(tmp_path) == {root: "TRUST_FOLDER", f"{root}/state/agents/CODER.gemini": "TRUST_FOLDER"}


def test_what_the_person_said_to_gemini_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = os.path.realpath(tmp_path)
    (tmp_path / ".gemini").mkdir()
    own = tmp_path / ".gemini" / "trustedFolders.json"
    own.write_text('{"/elsewhere": "TRUST_FOLDER"}')
    assert rules(tmp_path) == {"/elsewhere": "TRUST_FOLDER", root: "TRUST_FOLDER"}
    for said in ({root: "DO_NOT_TRUST"}, {os.path.dirname(root): "TRUST_FOLDER"}, {f"{root}/x": "TRUST_PARENT"}):  # noqa: PTH120
        own.write_text(json.dumps(said))
        assert TRUSTED_FOLDERS not in made(tmp_path, "gemini", "gemini").env
    named = tmp_path / "named.json"
    named.write_text('{"/named": "DO_NOT_TRUST"}')
    monkeypatch.setenv(TRUSTED_FOLDERS, str(named))
    assert rules(tmp_path) == {"/named": "DO_NOT_TRUST", root: "TRUST_FOLDER"}


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000])
def test_rules_that_can_t_be_read_are_left_and_said(tmp_path: Path, text: str) -> None:
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "trustedFolders.json").write_text(text)
    how = made(tmp_path, "gemini", "gemini")
    assert TRUSTED_FOLDERS not in how.env
    assert any("trust this folder first: run gemini once in it" in note for note in how.notes)
