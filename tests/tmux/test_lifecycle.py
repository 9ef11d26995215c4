"""Agents started, really replaced, and nothing else changed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from teamops.config.settings import RoleSettings
from teamops.effects.restart import restart
from teamops.model.actions import By, Restart
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.tmux import ending
from teamops.tmux.lifecycle import Mark, create, kill_session, mark_of, respawn
from tests.tmux.conftest import MakeServer
from tests.tmux.private import PrivateTmux, until
from tests.tmux.test_server import everything

pytestmark = pytest.mark.tmux

R = Role("A")


def role_with(*command: str, cwd: Path, session: str = "a") -> RoleSettings:
    return RoleSettings(
        role=R, name="Ann", profile=None, session=session, client="command", command=command, cwd=cwd, env={"OWN": "x;"}
    )


def wish() -> Restart:
    return Restart(role=R, by=By.PERSON)


async def test_the_panes_process_is_the_agent_itself(tmux: PrivateTmux, tmp_path: Path) -> None:
    tmux.new("foreign")
    before = everything_foreign(tmux)
    odd = tmp_path / "a #{pane_id} b;"
    odd.mkdir()
    words = ["python3", "-c", "import os,sys,time; print(sys.argv[1:], os.getcwd(), os.environ['K']); time.sleep(60)"]
    started = create(tmux.socket, "a", [*words, "x;", "$(id)", "#{pane_id}", "it's", ";"], odd, {"K": "v #{x};"})
    assert int(tmux.ask(started.pane_id, "#{pane_pid}")) == started.pid
    program = Path(f"/proc/{started.pid}/exe")
    await until("exec", lambda: program.resolve().name.startswith("python3"))
    wanted = f"['x;', '$(id)', '#{{pane_id}}', \"it's\", ';'] {odd} v #{{x}};"
    await until("its words", lambda: wanted in tmux.screen(started.pane_id).replace("\n", ""))
    assert tmux("show-options", "-p", "-v", "-t", started.pane_id, "remain-on-exit").strip() == "on"
    assert mark_of(tmux.socket, started.pane_id) == Mark(started.pid, "", made=True)
    assert everything_foreign(tmux) == before


def everything_foreign(tmux: PrivateTmux) -> dict[str, str]:
    """Return what a person could notice to be changed, but for the managed session's own."""
    return {name: text for name, text in everything_or(tmux).items() if not name.startswith("managed")}


def everything_or(tmux: PrivateTmux) -> dict[str, str]:
    if "mine" not in tmux("list-sessions", "-F", "#{session_name}").split():
        tmux.new("mine")
    return everything(tmux)


def test_a_session_that_exists_is_not_made_again(tmux: PrivateTmux, tmp_path: Path) -> None:
    pane = tmux.new("a")
    with pytest.raises(TeamopsError, match="duplicate session"):
        create(tmux.socket, "a", ["cat"], tmp_path, {})
    assert tmux("list-panes", "-a", "-F", "#{pane_id}").split() == [pane]


def test_a_folder_that_is_not_there_is_said(tmux: PrivateTmux, tmp_path: Path) -> None:
    with pytest.raises(TeamopsError, match="does not exist"):
        create(tmux.socket, "a", ["cat"], tmp_path / "no", {})


async def test_an_agent_that_ignores_hup_and_term_is_replaced_with_all_its_children(
    tmux: PrivateTmux, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending.end_session, "__defaults__", (0.2,))
    tmux.new("foreign")
    pane = tmux.new(
        "a", "trap '' HUP TERM INT; (trap '' HUP TERM; while :; do sleep 1; done) & echo up; while :; do sleep 1; done"
    )
    await until("its trap", lambda: "up" in tmux.screen(pane))
    old = int(tmux.ask(pane, "#{pane_pid}"))
    family = ending.session_of(old)
    assert len(family) >= 2
    started = respawn(tmux.socket, pane, ["cat"], pid=old, cwd=tmp_path)
    assert "up" in started.last_screen
    assert started.survivors == ()
    assert started.pid not in family
    assert not any(ending.is_alive(pid) for pid in family)
    assert ending.is_alive(started.pid)


def test_a_pane_that_runs_another_process_by_now_is_left_alone(tmux: PrivateTmux) -> None:
    pane = tmux.new("a")
    pid = int(tmux.ask(pane, "#{pane_pid}"))
    with pytest.raises(TeamopsError, match="another process"):
        respawn(tmux.socket, pane, ["cat"], pid=pid + 1)
    assert ending.is_alive(pid)


def test_a_process_that_leads_no_pane_is_never_ended() -> None:
    child = subprocess.Popen(["sleep", "60"])  # in our own session
    try:
        assert ending.end_session(child.pid, 0.1) == []
        assert ending.end_session(os.getsid(0), 0.1) == []
        assert ending.end_session(0, 0.1) == []
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_killing_a_session_ends_only_it(tmux: PrivateTmux) -> None:
    tmux.new("a")
    other = tmux.new("ab")
    kill_session(tmux.socket, "a")
    kill_session(tmux.socket, "a")
    assert tmux("list-panes", "-a", "-F", "#{pane_id}").split() == [other]


@pytest.mark.parametrize("keep", [True, False], ids=["remain-on-exit", "the person's own session"])
async def test_a_living_agent_is_restarted_in_its_pane(
    tmux: PrivateTmux, make_server: MakeServer, tmp_path: Path, *, keep: bool
) -> None:
    foreign = tmux.new("foreign")
    pane = tmux.new("a", keep=keep)
    old = int(tmux.ask(pane, "#{pane_pid}"))
    server = await make_server("a")
    show = 'echo "$TEAMOPS_ROLE $TEAMOPS_PROJECT $OWN $PWD"; exec cat'
    outcome = await restart(server, role_with("sh", "-c", show, cwd=tmp_path), "p", Path("/proj"), None, wish())
    assert outcome.ok, outcome
    assert outcome.evidence == f"pane {pane} pid {tmux.ask(pane, '#{pane_pid}')}"
    assert not ending.is_alive(old)
    assert f"A /proj x; {tmp_path}" in tmux.screen(pane).replace("\n", "")
    assert ending.is_alive(int(tmux.ask(foreign, "#{pane_pid}")))


async def test_a_dead_agent_without_a_command_gets_its_panes_own(
    tmux: PrivateTmux, make_server: MakeServer, tmp_path: Path
) -> None:
    pane = tmux.new("a", "echo own; exec cat")
    server = await make_server("a")
    os.kill(int(tmux.ask(pane, "#{pane_pid}")), signal.SIGKILL)
    outcome = await restart(server, role_with(cwd=tmp_path), "p", tmp_path, None, wish())
    assert outcome.ok, outcome
    assert "own" in tmux.screen(pane)


async def test_without_a_session_one_is_made_even_without_a_server(
    tmux: PrivateTmux, make_server: MakeServer, tmp_path: Path
) -> None:
    server = await make_server("a")
    refused = await restart(server, role_with(cwd=tmp_path), "p", tmp_path, None, wish())
    assert not refused.ok
    assert "no command" in refused.message
    outcome = await restart(server, role_with("cat", cwd=tmp_path), "p", tmp_path, None, wish())
    assert outcome.ok, outcome
    assert [pane.session for pane in await server.panes()] == ["a"]


LAST_WORDS = "stty -icanon -echo; printf 'no licence\\n\\033[5n'; head -c 4 >/dev/null; exit 37"
"""Ends once the terminal has answered, so has read the words: the kernel drops what is on its way at the end."""
BAD = {
    "no such program": (("no-such-program-x",), "status 127", "no such program", "install no-such-program-x"),
    "ends at once": (
        ("sh", "-c", LAST_WORDS),
        "status 37",
        "no licence",
        "mend command for A in teamops.toml, or what it runs",
    ),
    "killed": (("sh", "-c", "kill -9 $$"), "signal 9", "signal 9", "; it left no words: run it by hand in {cwd}"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("exists", [True, False], ids=["respawned", "created"])
async def test_a_bad_command_is_said_with_its_last_words(
    tmux: PrivateTmux, make_server: MakeServer, tmp_path: Path, case: str, *, exists: bool
) -> None:
    command, how, words, hint = BAD[case]
    if exists:
        tmux.new("a")
    server = await make_server("a")
    outcome = await restart(server, role_with(*command, cwd=tmp_path), "p", tmp_path, None, wish())
    assert not outcome.ok
    assert how in outcome.message
    assert words in outcome.message
    assert "command" in outcome.hint
    assert hint.format(cwd=tmp_path) in outcome.hint
    assert (case == "killed") == ("by hand" in outcome.hint)
