"""An agent's own copy of its client's file: what is kept of it, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teamops.effects.client_copy import MAX_BYTES, copy_of

PLANTED: dict[str, Any] = {
    "mcpServers": {"x": {"command": "sh"}},
    "hasCompletedOnboarding": True,
    "theme": "dark",
    "customApiKeyResponses": {"approved": ["key", 1], "rejected": ["y"]},
    "projects": {
        "/p": {"allowedTools": ["Bash"], "mcpServers": {"y": {}}, "hasTrustDialogAccepted": True},
        "/q": {"hasTrustDialogAccepted": True},
    },
}


def copied(folder: Path, own: object, last: object) -> dict[str, Any]:
    for name, told in (("own", own), ("last", last)):
        (folder / name).write_text(json.dumps(told))
    made: dict[str, Any] = json.loads(copy_of(folder / "own", folder / "last", "/p"))
    return made


def test_answers_are_kept_and_nothing_else(tmp_path: Path) -> None:
    own = {"a": 1, "projects": {"/p": {"b": 2}, "/r": {"c": 3}}}
    assert copied(tmp_path, own, PLANTED) == {
        "a": 1,
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {"approved": ["key"], "rejected": []},
        "projects": {"/p": {"b": 2, "hasTrustDialogAccepted": True}, "/r": {"c": 3}},
    }


def test_what_the_person_says_wins(tmp_path: Path) -> None:
    own = {"customApiKeyResponses": {"approved": [], "rejected": ["key"]}, "hasCompletedOnboarding": True}
    made = copied(tmp_path, own, {**PLANTED, "projects": []})
    assert made == own


@pytest.mark.parametrize("last", [[], {"customApiKeyResponses": {"approved": "x"}, "hasCompletedOnboarding": 1}, 3])
def test_a_last_copy_of_another_form_is_passed_over(last: object, tmp_path: Path) -> None:
    assert copied(tmp_path, {"a": 1}, last) == {"a": 1}


@pytest.mark.parametrize("own", ["{", "[" * 100_000, "[]", '{"a": 1}   '])
def test_the_persons_file_is_copied_as_it_is(own: str, tmp_path: Path) -> None:
    (tmp_path / "own").write_text(own)
    (tmp_path / "last").write_text(json.dumps(PLANTED) if own[0] != "{" else "{}")
    assert copy_of(tmp_path / "own", tmp_path / "last", "/p") == own
    assert copy_of(tmp_path / "own", tmp_path / "none", "/p") == own


def test_what_can_not_be_read_is_none(tmp_path: Path) -> None:
    assert copy_of(tmp_path / "none", tmp_path / "none", "/p") == "{}\n"
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert copy_of(tmp_path / "bytes", tmp_path / "none", "/p") == "{}\n"
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert copy_of(tmp_path / "large", tmp_path / "none", "/p") == "{}\n"
