"""What teamops adds to a person's command of Gemini CLI."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from teamops.effects import launch_gemini
from teamops.effects.launch_gemini import DEFAULTS, EVENTS, is_of_root
from tests.unit.effects.test_launch import KNOWN, made


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GEMINI_CLI_HOME", DEFAULTS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's folder never is: what is above it may be written by everybody."""
    monkeypatch.setattr(launch_gemini, "is_of_root", lambda _: True)


def chat(tmp_path: Path, *lines: str) -> None:
    folder = tmp_path / ".gemini" / "tmp" / "shop"
    (folder / "chats").mkdir(parents=True, exist_ok=True)
    (folder / ".project_root").write_text(str(tmp_path), encoding="utf-8")
    path = folder / "chats" / f"session-2026-11-27T02-19-{KNOWN[:8]}.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_it_goes_on_only_with_what_it_can_resume(tmp_path: Path) -> None:
    fresh = made(tmp_path, "gemini", "gemini", last=KNOWN)
    assert fresh.argv[1] == f"--session-id={fresh.client_session}"
    chat(tmp_path, '{"sessionId":"x"}')
    assert not made(tmp_path, "gemini", "gemini", last=KNOWN).resumed
    chat(tmp_path, '{"sessionId":"x"}', '{"id":"1","type":"user","content":"hello"}')
    how = made(tmp_path, "gemini", "gemini", last=KNOWN)
    assert (how.resumed, how.client_session, how.argv) == (True, KNOWN, ("gemini", f"--resume={KNOWN}"))
    own = made(tmp_path, "gemini", "gemini", "-r", "latest", last=KNOWN)
    assert (own.argv[-2:], own.resumed, own.client_session) == (("-r", "latest"), False, "")
    assert not any(word.startswith(("--resume", "--session-id")) for word in own.argv)


def test_an_ordinary_user_has_the_profile_as_the_first_prompt(tmp_path: Path) -> None:
    how = made(tmp_path, "gemini", "gemini", "-m", "pro", "-y")
    prompt = next(word for word in how.argv if word.startswith("--prompt-interactive="))
    assert "Kevin" in prompt
    assert DEFAULTS not in how.env
    assert [path.name for path in how.files] == ["CODER.gemini.trusted.json"]
    assert "no events" in how.notes[0]
    assert not how.held.hooked


@pytest.mark.parametrize("own", [("-i", "begin"), ("begin",), ("-y", "begin"), ("--model=pro", "begin"), ("-p", "x")])
def test_a_prompt_of_the_persons_own_is_the_only_one(tmp_path: Path, own: tuple[str, ...]) -> None:
    how = made(tmp_path, "gemini", "gemini", *own)
    assert how.argv[-len(own) :] == own
    assert not any(word.startswith("--prompt-interactive=") for word in how.argv)
    assert any("no profile" in note for note in how.notes)


@pytest.mark.usefixtures("of_root")
def test_root_hands_profile_and_events_over_in_settings_of_the_lowest_rank(tmp_path: Path) -> None:
    how = made(tmp_path, "gemini", "gemini")
    assert not any(word.startswith("--prompt") for word in how.argv)
    how.write()
    told = json.loads(Path(how.env[DEFAULTS]).read_text(encoding="utf-8"))
    assert set(told["hooks"]) == set(EVENTS)
    (place,) = told["context"]["includeDirectories"]
    assert "Kevin" in (Path(place) / "GEMINI.md").read_text(encoding="utf-8")
    assert how.notes == ()
    assert how.held.hooked


@pytest.mark.usefixtures("of_root")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"context":{"fileName":"AGENTS.md"}}', "AGENTS.md"),
        ('{"context":{"fileName":["TEAM.md","GEMINI.md"]}}', "TEAM.md"),
        ('{"context":{"fileName":"../../x.md"}}', "GEMINI.md"),
        ('{"context":{"fileName":[]}}', "GEMINI.md"),
        ("{broken", "GEMINI.md"),
        ("[]", "GEMINI.md"),
    ],
)
def test_the_profile_has_the_name_that_the_client_reads(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(text, encoding="utf-8")
    assert [path.name for path in made(tmp_path, "gemini", "gemini").files] == [
        name, "CODER.gemini.json", "CODER.gemini.trusted.json",
    ]  # fmt: skip


@pytest.mark.usefixtures("of_root")
def test_defaults_that_are_set_already_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEFAULTS, "/etc/mine.json")
    how = made(tmp_path, "gemini", "gemini")
    assert DEFAULTS not in how.env
    assert [path.name for path in how.files] == ["CODER.gemini.trusted.json"]
    assert "/etc/mine.json" in how.notes[0]
    assert not how.held.hooked


def test_what_others_may_change_is_not_of_root(tmp_path: Path) -> None:
    assert is_of_root(Path("/usr/no such folder/x.json")) == (os.geteuid() == 0)
    tmp_path.chmod(0o777)
    assert not is_of_root(tmp_path / "x.json")
    assert not is_of_root(tmp_path / "sub" / "x.json")


def test_events_that_the_person_has_told_are_not_told_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"hooks": {"AfterAgent": [{"hooks": [{"type": "command", "command": "teamops hook AfterAgent"}]}]}}
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(json.dumps(own), encoding="utf-8")
    assert made(tmp_path, "gemini", "gemini").notes == ()
    assert made(tmp_path, "gemini", "gemini").held.hooked
    monkeypatch.setattr(launch_gemini, "is_of_root", lambda _: True)
    how = made(tmp_path, "gemini", "gemini")
    told = json.loads(how.files[Path(how.env[DEFAULTS])])
    assert ("hooks" in told, "context" in told) == (False, True)
