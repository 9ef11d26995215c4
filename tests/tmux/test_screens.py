"""What the screens of known clients show, as the panes' source tells it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from teamops.config.settings import RoleSettings, Settings
from teamops.model.events import Event, ScreenSeen
from teamops.model.pane import Screen
from teamops.model.role import CODER
from teamops.sources.clock import Clock
from teamops.sources.panes import Panes
from teamops.tmux.server import Server
from tests.tmux.private import PrivateTmux, until

pytestmark = pytest.mark.tmux

FAKE = Path(__file__).with_name("fake_client.py")


def begin(tmux: PrivateTmux, log: Path, *habits: str) -> str:
    return tmux.new("a", "exec " + shlex.join([sys.executable, "-S", str(FAKE), str(log), *habits]))


@asynccontextmanager
async def watching(tmux: PrivateTmux, client: str) -> AsyncIterator[list[Event]]:
    role = RoleSettings(role=CODER, name="", profile=None, session="a", client=client, command=(), cwd=Path("/"))
    settings = Settings(root=Path("/"), project="p", handoff=Path("/c"), roles=(role,), source=Path("/t"))
    server = Server(tmux.socket, ["a"])
    source = Panes(settings, server, Clock())
    events: list[Event] = []
    await source.start(events.append)
    try:
        yield events
    finally:
        await source.stop()
        await server.close()


def screens(events: list[Event]) -> list[Screen]:
    return [event.screen for event in events if isinstance(event, ScreenSeen)]


async def test_a_dialog_that_is_open_is_seen_at_the_first_look(tmux: PrivateTmux, tmp_path: Path) -> None:
    pane = begin(tmux, tmp_path / "log", "dialog")
    await until("the dialog", lambda: "Do you want to proceed?" in tmux.screen(pane))
    async with watching(tmux, "claude") as events:
        assert screens(events) == [Screen.DIALOG]  # before any output, when start returns
        (seen,) = [event for event in events if isinstance(event, ScreenSeen)]
        assert str(seen.pid) == tmux.ask("=a:", "#{pane_pid}")


async def test_a_dialog_that_opens_is_seen_and_told_once(tmux: PrivateTmux, tmp_path: Path) -> None:
    pane = begin(tmux, tmp_path / "log", "late-dialog")
    await until("its input", lambda: "\u276f" in tmux.screen(pane))
    async with watching(tmux, "claude") as events:
        assert screens(events) == [Screen.PROMPT]
        tmux("send-keys", "-t", "=a:", "-l", "x")
        await until("the dialog", lambda: screens(events)[-1] is Screen.DIALOG)
        assert screens(events) == [Screen.PROMPT, Screen.DIALOG]
        tmux("respawn-pane", "-k", "-t", "=a:", "exec cat")
        await until("another process's screen", lambda: len(screens(events)) == 3)
        assert screens(events)[-1] is Screen.UNKNOWN


async def test_of_programs_without_a_known_screen_nothing_is_told(tmux: PrivateTmux, tmp_path: Path) -> None:
    pane = begin(tmux, tmp_path / "log", "dialog")
    await until("the dialog", lambda: "Do you want to proceed?" in tmux.screen(pane))
    async with watching(tmux, "command") as events:
        assert screens(events) == []


@pytest.mark.parametrize(
    ("habit", "screen", "auth"), [("retrying", Screen.RETRYING, False), ("refused", Screen.FAILED, True)]
)
async def test_calls_that_fail_are_seen_and_a_refused_account_with_them(
    tmux: PrivateTmux, tmp_path: Path, habit: str, screen: Screen, auth: bool
) -> None:
    pane = begin(tmux, tmp_path / "log", habit)
    await until("its screen", lambda: "manual mode" in tmux.screen(pane))
    async with watching(tmux, "claude") as events:
        (seen,) = [event for event in events if isinstance(event, ScreenSeen)]
        assert (seen.screen, seen.auth) == (screen, auth)


async def test_an_error_that_is_no_failed_call_is_told_with_the_prompt(tmux: PrivateTmux) -> None:
    shown = "■ Failed to save model migration prompt preference\\n\\n\u203a Ask Codex\\n\\n  gpt\\n"
    pane = tmux.new("a", "exec " + shlex.join(["sh", "-c", f"printf '{shown}'; exec cat"]))
    await until("its screen", lambda: "gpt" in tmux.screen(pane))
    async with watching(tmux, "codex") as events:
        (seen,) = [event for event in events if isinstance(event, ScreenSeen)]
        assert (seen.screen, seen.auth) == (Screen.PROMPT, False)
        assert seen.complaint == "Failed to save model migration prompt preference"
