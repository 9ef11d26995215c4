"""The server's facade on real servers: who is managed, what it changes, and what it survives."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from teamops.model.errors import TeamopsError
from teamops.tmux.command import run_once
from teamops.tmux.control import ControlClient, ControlLost
from teamops.tmux.server import Server, ServerDown, TmuxFailed
from tests.tmux.conftest import MakeServer
from tests.tmux.private import PrivateTmux, until, until_async

pytestmark = pytest.mark.tmux


async def attached(server: Server) -> Server:
    await until("control mode", lambda: server.mode == "control")
    return server


async def test_a_session_is_found_by_its_exact_name(tmux: PrivateTmux, make_server: MakeServer) -> None:
    tmux.new("team-developer")
    tmux.new("team-dev-2")
    server = await make_server("team-dev", "team")
    assert await server.panes() == ()
    pane = tmux.new("team-dev")
    assert [(seen.session, seen.pane_id) for seen in await server.panes()] == [("team-dev", pane)]


async def test_names_that_tmux_would_change_are_refused(tmux: PrivateTmux) -> None:
    for name in ("a:b", "a.b", "", "a\nb"):
        with pytest.raises(TeamopsError, match="can't be the name"):
            Server(tmux.socket, [name])


@pytest.mark.parametrize("control", [True, False], ids=["control", "subprocess"])
async def test_both_ways_tell_the_same(tmux: PrivateTmux, make_server: MakeServer, *, control: bool) -> None:
    tmux.new("a b", "exec sh -c 'exit 3'")
    pane = tmux.new("c")
    server = await make_server("a b", "c")
    await attached(server)
    if not control:
        await server.close()
        assert server.mode.startswith("subprocess")
    await until("its end", lambda: tmux.ask("=a b:", "#{pane_dead}") == "1")
    dead, alive = await server.panes()
    assert (dead.session, dead.dead, dead.exit_status, dead.exit_signal) == ("a b", True, 3, None)
    assert (alive.pane_id, alive.dead, alive.width, alive.height, alive.attached) == (pane, False, 100, 30, 0)
    assert alive.tty == tmux.ask(pane, "#{pane_tty}")
    assert alive.pid == int(tmux.ask(pane, "#{pane_pid}"))
    assert server.server_pid == tmux.server_pid()


HOSTILE = {
    "a command": ("#(touch {})", "#(touch {})"),
    "a format": ("#{pane_pid} #{E:pane_title} ##", "#{pane_pid} #{E:pane_title} ##"),
    "colons and bars": ("x:team:y|z | %1|2", "x:team:y|z | %1|2"),
    "markup": ("[@click=app.quit]x[/nope]", "[@click=app.quit]x[/nope]"),
    "a guard's look": ("@0123456789ab %9|1|1:x:y", "@0123456789ab %9|1|1:x:y"),
    "bidi": ("a\u202eb\u200bc", "abc"),
    "wide": ("日本語 ✳", "日本語 ✳"),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_hostile_title_is_only_text(
    tmux: PrivateTmux, make_server: MakeServer, tmp_path: Path, case: str
) -> None:
    mark = tmp_path / "touched"
    title, shown = (part.replace("{}", str(mark)) if "touch" in part else part for part in HOSTILE[case])
    script = tmp_path / "title"
    script.write_text(title)
    tmux.new("t", f"printf '\\033]2;%s\\007' \"$(cat {script})\"; exec cat")
    server = await attached(await make_server("t"))

    async def named() -> bool:
        return (await server.panes())[0].title == shown

    await until_async("the title", named)
    pane = tmux.ask("=t:", "#{pane_id}")
    assert await server.title(pane) == shown
    await server.close()
    assert await named()
    assert await server.title(pane) == shown
    assert not mark.exists()


async def test_a_title_with_tabs_and_newlines_breaks_no_line(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t")
    tmux.new("u")
    tmux("select-pane", "-t", pane, "-T", "a\tb\n@x %7|1:u:z\x1b]0;c\x07")
    server = await attached(await make_server("t", "u"))
    assert [seen.pane_id for seen in await server.panes()] == [pane, tmux.ask("=u:", "#{pane_id}")]


def everything(tmux: PrivateTmux) -> dict[str, str]:
    """Return all that a person could notice to be changed."""
    wanted = {
        "global options": ("show-options", "-g"),
        "window options": ("show-options", "-gw"),
        "server options": ("show-options", "-s"),
        "hooks": ("show-hooks", "-g"),
        "keys": ("list-keys",),
        "environment": ("show-environment", "-g"),
        "foreign session": ("show-options", "-t", "=foreign:"),
        "foreign environment": ("show-environment", "-t", "=foreign"),
        "foreign panes": (
            "list-panes",
            "-s",
            "-t",
            "=foreign",
            "-F",
            "#{pane_id} #{pane_pid} #{pane_dead} #{pane_width}",
        ),
        "managed options": ("show-options", "-t", "=mine:"),
        "managed environment": ("show-environment", "-t", "=mine"),
        "managed size": ("list-windows", "-t", "=mine", "-F", "#{window_width}x#{window_height} #{window_layout}"),
        "buffers": ("list-buffers",),
    }
    return {name: tmux(*words) for name, words in wanted.items()} | {"foreign screen": tmux.screen("=foreign:")}


async def test_watching_changes_nothing(
    tmux: PrivateTmux, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux.new("foreign")
    tmux.new("mine")
    before = everything(tmux)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/other")  # attaching without -E would copy it into the session
    monkeypatch.setenv("DISPLAY", ":77")
    server = await attached(await make_server("mine"))
    await server.capture((await server.panes())[0].pane_id)
    assert everything(tmux) == before
    assert "ignore-size,no-output,read-only" in tmux("list-clients", "-F", "#{client_flags}")
    assert (await server.panes())[0].attached == 0
    await server.close()
    assert tmux("list-clients") == ""
    assert everything(tmux) == before


async def test_a_foreign_pane_is_neither_read_nor_typed_into(tmux: PrivateTmux, make_server: MakeServer) -> None:
    foreign = tmux.new("foreign")
    tmux.new("mine")
    server = await make_server("mine")
    for refused in (server.capture(foreign), server.send(foreign, "Enter"), server.type(foreign, "x")):
        with pytest.raises(TeamopsError, match="not one that teamops manages"):
            await refused
    assert tmux.screen(foreign).strip() == ""


async def test_a_split_window_keeps_the_agents_pane(tmux: PrivateTmux, make_server: MakeServer) -> None:
    agent = tmux.new("t")
    server = await attached(await make_server("t"))
    assert (await server.panes())[0].pane_id == agent
    tmux("split-window", "-b", "-t", agent, "exec cat")  # the new pane stands before it
    tmux("new-window", "-t", "=t:", "exec cat")
    assert [pane.pane_id for pane in await server.panes()] == [agent]


async def test_a_renamed_session_is_another_session(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t")
    server = await attached(await make_server("t"))
    told: list[bool] = []
    server.on_change(lambda: told.append(True))
    tmux("rename-session", "-t", "=t:", "other")
    await until("a notification", lambda: told)
    assert await server.panes() == ()
    with pytest.raises(TeamopsError, match="not one that teamops manages"):
        await server.capture(pane)


async def test_a_killed_control_client_is_replaced(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t")
    server = await attached(await make_server("t"))
    old = server.control_pid
    os.kill(old, signal.SIGKILL)
    assert [seen.pane_id for seen in await server.panes()] == [pane]  # answered meanwhile, one way or the other
    await until("another client", lambda: server.control_pid not in {0, old})
    assert [seen.pane_id for seen in await server.panes()] == [pane]


async def test_a_server_that_hangs_is_said_and_found_again(
    tmux: PrivateTmux, make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ControlClient.__init__, "__defaults__", (0.2,))
    monkeypatch.setattr(run_once, "__defaults__", (0.2,))
    pane = tmux.new("t")
    server = await attached(await make_server("t"))
    modes: list[tuple[str, bool]] = []
    server.on_change(lambda: modes.append((server.mode, server.lesser)))
    pid = tmux.server_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(TmuxFailed, match="no answer"):
            await server.panes()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ("subprocess: control mode lost (no answer within 0.2 s)", True) in modes

    async def found() -> bool:
        return [seen.pane_id for seen in await server.panes()] == [pane]

    await until_async("the pane", found)
    await until("control mode again", lambda: server.mode == "control")


@pytest.mark.parametrize("detach", ["on", "off"])
async def test_when_its_session_ends_it_moves_to_another_of_its_own(
    tmux: PrivateTmux, make_server: MakeServer, detach: str
) -> None:
    tmux.new("foreign")
    tmux("set-option", "-g", "detach-on-destroy", detach)  # "off" moves clients to any other session
    tmux.new("a")
    tmux.new("b")
    server = await attached(await make_server("a", "b"))
    old = server.control_pid
    tmux("kill-session", "-t", "=a:")
    await until("another client", lambda: server.control_pid not in {0, old})
    assert tmux("list-clients", "-F", "#{session_name}").split() == ["b"]
    tmux("kill-session", "-t", "=b:")
    await until("no client", lambda: tmux("list-clients") == "")
    assert await server.panes() == ()


async def test_a_session_that_ends_with_its_client_is_not_attached_to(
    tmux: PrivateTmux, make_server: MakeServer
) -> None:
    tmux.new("frail")
    person = ControlClient(tmux.socket, "frail", lambda _: None, lambda _: None)
    await person.open()
    tmux("set-option", "-t", "=frail:", "destroy-unattached", "on")
    server = await make_server("frail")
    await until("its word", lambda: "destroy-unattached" in server.mode)
    assert len(await server.panes()) == 1
    assert len(tmux("list-clients").splitlines()) == 1
    await person.close()


async def test_a_server_that_is_not_there_is_down_not_wrong(tmux: PrivateTmux, make_server: MakeServer) -> None:
    server = await make_server("t")
    with pytest.raises(ServerDown, match="not running"):
        await server.panes()
    assert list(tmux.folder.iterdir()) == []  # and looking did not start one
    pane = tmux.new("t")
    assert [seen.pane_id for seen in await server.panes()] == [pane]
    await attached(server)
    tmux.kill()
    with pytest.raises(ServerDown):
        await until_async("the end", server.panes, 0.5)


async def test_a_capture_has_colours_and_nothing_unsafe(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t", "printf '\\033[1;31mred\\033[0m \\016lqk\\017 end\\n'; exec cat")
    server = await attached(await make_server("t"))
    await until("its text", lambda: "end" in tmux.screen(pane))
    coloured = await server.capture(pane, ansi=True)
    assert "\x1b[1m\x1b[31mred\x1b[0m" in coloured.replace("\x1b[1;31m", "\x1b[1m\x1b[31m").replace(
        "\x1b[39m", "\x1b[0m"
    )
    assert "\x0e" not in coloured
    assert "red" in await server.capture(pane)
    assert "\x1b" not in await server.capture(pane)


async def test_history_is_given_when_asked_for(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t", "seq 1 100; exec cat")
    server = await attached(await make_server("t"))
    await until("its text", lambda: "100" in tmux.screen(pane))
    assert "\n50\n" not in await server.capture(pane)
    assert "\n50\n" in await server.capture(pane, history=90)


async def test_a_screen_that_looks_like_the_protocol_is_only_text(tmux: PrivateTmux, make_server: MakeServer) -> None:
    pane = tmux.new("t", "printf '%%end 1 2 1\\n%%begin 3 4 1\\n%%exit\\n%%error 1 2 1\\ndone\\n'; exec cat")
    server = await attached(await make_server("t"))
    await until("its text", lambda: "done" in tmux.screen(pane))
    assert (await server.capture(pane)).startswith("%end 1 2 1\n%begin 3 4 1\n%exit\n%error 1 2 1\ndone\n")
    assert server.mode == "control"


async def test_a_lost_client_says_why(tmux: PrivateTmux) -> None:
    tmux.new("t")
    lost: list[str] = []
    client = ControlClient(tmux.socket, "t", lambda _: None, lost.append)
    await client.open()
    tmux.kill()
    await until("the loss", lambda: lost)
    with pytest.raises(ControlLost):
        await client.ask("list-panes")
    await client.close()
    assert not client.alive


async def test_a_machine_without_descriptors_is_said_and_is_no_defect(tmux: PrivateTmux) -> None:
    import resource

    tmux.new("a-one")
    server = Server(tmux.socket, ["a-one"])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(TmuxFailed, match="Too many open files"):
            await server.panes()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(await server.panes()) == 1
