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
    made: dict[str, Any] = json.loads(copy_of(folder / "own", folder / "last", ["/p"]).text)
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
    assert copy_of(tmp_path / "own", tmp_path / "last", ["/p"]).text == own
    assert copy_of(tmp_path / "own", tmp_path / "none", ["/p"]).text == own


def test_of_what_can_not_be_read_there_is_nothing_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for name, trouble in (("none", "can't be read"), ("bytes", "is no text"), ("large", "more than 64 MB")):
        made = copy_of(tmp_path / name, tmp_path / "none", ["/p"], "trace")
        assert (made.text, made.was) == ("{}\n", "trace")
        assert trouble in made.trouble


def test_a_key_that_may_be_used_stays_beside_the_persons(tmp_path: Path) -> None:
    own = {"customApiKeyResponses": {"approved": ["mine"], "rejected": ["no"]}}
    last = {"customApiKeyResponses": {"approved": ["mine", "agents", "no"], "rejected": []}}
    assert copied(tmp_path, own, last) == {
        "customApiKeyResponses": {"approved": ["mine", "agents"], "rejected": ["no"]}
    }


def test_the_answers_are_kept_wherever_its_client_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("{}")
    trusted = {"hasTrustDialogAccepted": True}
    (tmp_path / "last").write_text(json.dumps({"projects": {"/main": trusted, "/tree": trusted, "/else": trusted}}))
    made = json.loads(copy_of(tmp_path / "own", tmp_path / "last", ["/tree", "/main", "/tree"]).text)
    assert made == {"projects": {"/main": trusted, "/tree": trusted}}


def test_a_sign_in_of_the_agents_client_lasts_and_one_that_the_person_ended_does_not(tmp_path: Path) -> None:
    own, last = tmp_path / "own", tmp_path / "last"
    signed = {"primaryApiKey": "sk-agent", "oauthAccount": {"emailAddress": "a@example.org"}}
    own.write_text("{}")
    last.write_text(json.dumps({**signed, "mcpServers": {"x": {}}}))
    made = copy_of(own, last, [])
    assert json.loads(made.text) == signed
    own.write_text(json.dumps({"primaryApiKey": "sk-mine"}))
    made = copy_of(own, last, [], made.was)
    assert json.loads(made.text) == {"primaryApiKey": "sk-mine"}
    assert made.was
    assert "sk-mine" not in made.was
    last.write_text(made.text)
    own.write_text("{}")  # signed out at home
    for _ in range(2):
        made = copy_of(own, last, [], made.was)
        assert json.loads(made.text) == {}
    own.write_text(json.dumps({"oauthAccount": {}}))
    last.write_text(json.dumps(signed))
    assert json.loads(copy_of(own, last, [], made.was).text) == {"oauthAccount": {}}
