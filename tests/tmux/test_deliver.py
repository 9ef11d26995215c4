"""Lines typed into real panes: all that was said arrives, and nothing reaches what must not be touched."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from teamops.config.settings import RoleSettings
from teamops.effects.poke import poke
from teamops.model.actions import By, Outcome, Poke
from teamops.model.role import Role
from teamops.tmux import deliver as room
from teamops.tmux.deliver import deliver, runtime_dir
from teamops.tmux.server import Server
from tests.tmux.conftest import MakeServer
from tests.tmux.private import PrivateTmux, until

pytestmark = pytest.mark.tmux

FAKE = Path(__file__).with_name("fake_client.py")


class Client:
    """A fake client in a pane."""

    def __init__(self, tmux: PrivateTmux, log: Path, *habits: str) -> None:
        self.log = log
        self.tmux = tmux
        self.pane = tmux.new("a", "exec " + shlex.join([sys.executable, "-S", str(FAKE), str(log), *habits]))

    async def ready(self) -> Client:
        await until("its screen", lambda: "manual mode" in self.screen() or "Esc to cancel" in self.screen())
        return self

    def screen(self) -> str:
        return self.tmux.screen(self.pane)

    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


Start = Callable[..., Client]


@pytest.fixture
def start(tmux: PrivateTmux, tmp_path: Path) -> Start:
    return lambda *habits: Client(tmux, tmp_path / "log", *habits)


async def type_into(server: Server, text: str, client: str = "claude") -> Outcome:
    (pane,) = await server.panes()
    return await deliver(server, pane, client, text)


TEXTS = {
    "a trailing semicolon": "do it;",
    "semicolons": "; a ; b ;;",
    "quotes": 'it\'s "so" `so`',
    "shell": "$(touch /tmp/x) && $HOME ~ | > <",
    "formats": "#{pane_pid} #(date) ## #[fg=red] %1",
    "a key's name": "Enter",
    "options": "-t %0 --",
    "unicode": "größer 日本語 ✓ e\u0301",
    "a backslash inside": "a\\b \\; c\\n",
    "long": "word " * 139 + "end",
}


@pytest.mark.parametrize("client", ["claude", "command"])
@pytest.mark.parametrize("case", TEXTS)
async def test_the_very_text_arrives(start: Start, make_server: MakeServer, case: str, client: str) -> None:
    fake = await start().ready()
    server = await make_server("a")
    outcome = await type_into(server, TEXTS[case], client)
    assert outcome.ok, outcome
    assert outcome.message == "typed and submitted"
    assert await until("the line", fake.lines) == [TEXTS[case]]


async def test_many_lines_become_one_and_controls_go(start: Start, make_server: MakeServer) -> None:
    fake = await start().ready()
    server = await make_server("a")
    assert (await type_into(server, "one\r\ntwo\tthree\x1b[31m \x03four\x15 \\\\")).ok
    assert await until("the line", fake.lines) == ["one two three four"]


REFUSED = {
    "too long": ("x" * 700, "700 characters"),
    "nothing": (" \n\x1b[31m", "nothing to type"),
    "a command": ("/clear", 'begins with "/"'),
    "a shell": ("\n ! rm -rf /", 'begins with "!"'),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cant_be_typed_is_refused(start: Start, make_server: MakeServer, case: str) -> None:
    fake = await start().ready()
    text, words = REFUSED[case]
    before = fake.screen()
    outcome = await type_into(await make_server("a"), text)
    assert not outcome.ok
    assert words in outcome.message
    assert outcome.hint
    assert fake.screen() == before


async def test_a_dialog_is_never_answered(start: Start, make_server: MakeServer) -> None:
    fake = await start("dialog").ready()
    before = fake.screen()
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert "dialog" in outcome.message
    assert fake.lines() == []
    assert fake.screen() == before


async def test_nothing_is_typed_while_calls_of_the_model_fail(start: Start, make_server: MakeServer) -> None:
    fake = await start("retrying").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert "it tries again" in outcome.message
    assert "go on" not in fake.screen()
    assert fake.lines() == []


async def test_after_a_call_that_failed_for_good_the_prompt_takes_a_line(start: Start, make_server: MakeServer) -> None:
    fake = await start("refused").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert outcome.ok, outcome
    await until("the line", lambda: fake.lines() == ["go on"])


async def test_a_dialog_that_opens_while_typing_is_not_submitted(start: Start, make_server: MakeServer) -> None:
    fake = await start("late-dialog").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert outcome.message.startswith("typed but not submitted: a dialog is open")
    assert fake.lines() == []


async def test_a_persons_draft_is_left_alone(start: Start, make_server: MakeServer) -> None:
    fake = await start("draft").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert 'someone is typing there: "half a thou"' in outcome.message
    assert "half a thou" in fake.screen()
    assert fake.lines() == []


async def test_a_clients_own_suggestion_is_no_draft(start: Start, make_server: MakeServer) -> None:
    fake = await start("ghost").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert outcome.ok, outcome
    assert await until("the line", fake.lines) == ["go on"]


async def test_what_a_busy_client_paints_late_is_waited_for(start: Start, make_server: MakeServer) -> None:
    fake = await start("slow").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert outcome.ok, outcome
    assert await until("the line", fake.lines) == ["go on"]


async def test_a_line_that_did_not_arrive_whole_is_not_submitted(
    start: Start, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PAINTS_S", 0.2)
    fake = await start("lossy").ready()
    outcome = await type_into(await make_server("a"), "do the zip")
    assert not outcome.ok
    assert outcome.touched
    assert outcome.message == "typed but not submitted: the input does not hold the line"
    assert fake.lines() == []


async def test_a_swallowed_enter_is_pressed_again(
    start: Start, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEAVES_S", 0.2)
    fake = await start("deaf").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert outcome.ok, outcome
    assert await until("the line", fake.lines) == ["go on"]


async def test_a_line_that_stays_in_the_input_is_not_called_submitted(
    start: Start, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEAVES_S", 0.2)
    fake = await start("stuck").ready()
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert outcome.message.startswith("typed but not submitted")
    assert fake.lines() == []


async def test_an_unknown_screen_is_not_typed_into(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("a", "echo '$ a shell'; exec cat")
    await until("its text", lambda: "a shell" in tmux.screen(pane))
    outcome = await type_into(await make_server("a"), "rm -rf x")
    assert not outcome.ok
    assert "no input that teamops knows" in outcome.message
    assert "rm" not in tmux.screen(pane)


async def test_copy_mode_is_respected(start: Start, make_server: MakeServer) -> None:
    fake = await start().ready()
    fake.tmux("copy-mode", "-t", fake.pane)
    outcome = await type_into(await make_server("a"), "go on")
    assert not outcome.ok
    assert "copy mode" in outcome.message
    assert fake.tmux.ask(fake.pane, "#{pane_in_mode}") == "1"


async def test_two_at_once_take_turns(start: Start, make_server: MakeServer) -> None:
    fake = await start().ready()
    server, other = await make_server("a"), await make_server("a")
    outcomes = await asyncio.gather(type_into(server, "the first line"), type_into(other, "the second line"))
    assert all(outcome.ok for outcome in outcomes), outcomes
    await until("both", lambda: len(fake.lines()) == 2)
    assert sorted(fake.lines()) == ["the first line", "the second line"]


async def test_another_process_of_ours_that_types_is_waited_for(
    start: Start, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOCK_S", 0.1)
    fake = await start().ready()
    server = await make_server("a")
    assert (await type_into(server, "one")).ok
    (lock,) = runtime_dir().glob("pane-*.lock")
    handle = os.open(lock, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    outcome = await type_into(server, "two")
    os.close(handle)
    assert not outcome.ok
    assert "another line is being typed" in outcome.message
    assert fake.lines() == ["one"]


async def test_a_poke_finds_the_roles_pane_and_says_when_there_is_none(
    start: Start, make_server: MakeServer, tmp_path: Path
) -> None:
    role = RoleSettings(
        role=Role("A"), name="Ann", profile=None, session="a", client="claude", command=("x",), cwd=tmp_path
    )
    server = await make_server("a")
    wish = Poke(role=Role("A"), text="your turn", by=By.PERSON)
    assert (await poke(server, role, None, wish)).message == "the tmux server is not running"
    fake = await start().ready()
    assert (await poke(server, role, None, wish)).ok
    assert await until("the line", fake.lines) == ["your turn"]
    fake.tmux("send-keys", "-t", fake.pane, "C-c")
    await until("its end", lambda: fake.tmux.ask(fake.pane, "#{pane_dead}") == "1")
    dead = await poke(server, role, None, wish)
    assert not dead.ok
    assert dead.message == "the agent is dead"
    fake.tmux.new("other")
    fake.tmux("kill-session", "-t", "=a:")
    gone = await poke(server, role, None, wish)
    assert not gone.ok
    assert 'no session "a"' in gone.message
