"""Pages over a real message bus, with daemons that live, die, keep silent and come back."""

from __future__ import annotations

import gc
import io
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.channels.desktop import DesktopChannel
from teamops.effects.channels.terminal import TerminalChannel, signal_for
from teamops.effects.desktop import ADDRESS
from teamops.effects.desktop import Desktop as Client
from teamops.ledger.store import open_ledger
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
from teamops.supervisor.lease import state_dir_of
from tests.dbus_daemon import Desktop

pytestmark = pytest.mark.dbus

STALE = Page(
    id="1",
    transition=Transition.FIRED,
    keys=(("handoff-stale", "t"),),
    thread="handoff-stale t",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: handoff-stale",
    body="REVIEWER holds the light.",
    do="poke it",
    wall=0.0,
)


@pytest.fixture
def desktop(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    with Desktop(short_dir) as bus:
        monkeypatch.setenv(ADDRESS, bus.address)
        yield bus


@pytest.fixture
async def channel() -> AsyncIterator[DesktopChannel]:
    made = DesktopChannel()
    yield made
    await made.close()


async def test_a_page_reaches_the_daemon(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        assert await channel.start(lambda _: None) == ""
        receipt = await channel.deliver(STALE)
        shown = daemon.wait_for(lambda shown: shown.summary == STALE.title)
    assert receipt.ok
    assert "test daemon 1" in receipt.evidence
    assert (shown.app, shown.body, shown.urgency) == ("teamops", "REVIEWER holds the light.\nPoke it", 2)


async def test_what_is_not_critical_is_of_normal_urgency(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(replace(STALE, severity=Severity.WARNING))
        assert daemon.wait_for(lambda _: True).urgency == 1


async def test_without_a_daemon_nothing_is_said_to_be_shown(desktop: Desktop, channel: DesktopChannel) -> None:
    assert "no notification daemon" in await channel.start(lambda _: None)
    receipt = await channel.deliver(STALE)
    assert (receipt.ok, receipt.absent, receipt.retry) == (False, False, True)
    assert "no notification daemon" in receipt.message
    assert receipt.hint


async def test_a_daemon_that_comes_is_found_by_the_next_page(desktop: Desktop, channel: DesktopChannel) -> None:
    assert not (await channel.deliver(STALE)).ok
    with desktop.daemon() as daemon:
        receipt = await channel.deliver(STALE)
        daemon.wait_for(lambda shown: shown.summary == STALE.title)
    assert receipt.message == "desktop notification shown"


async def test_a_daemon_that_dies_is_noticed_and_its_successor_used(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon():
        assert (await channel.deliver(STALE)).evidence.startswith("taken by")
    assert not (await channel.deliver(STALE)).ok
    with desktop.daemon() as second:
        assert (await channel.deliver(STALE)).evidence.startswith("taken by")
        assert second.wait_for(lambda _: True).number == 1


async def test_a_bus_that_ends_is_left_and_its_successor_used(
    desktop: Desktop, channel: DesktopChannel, caplog: pytest.LogCaptureFixture
) -> None:
    with desktop.daemon():
        await channel.deliver(STALE)
        desktop.stop()
        lost = await channel.deliver(STALE)
    assert not lost.ok
    assert "desktop bus" in lost.message
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await channel.deliver(STALE)).evidence.startswith("taken by")
        daemon.wait_for(lambda shown: shown.summary == STALE.title)
    await channel.close()
    gc.collect()  # what nobody retrieved complains now
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_bus_that_was_replaced_between_two_pages_loses_nothing(
    desktop: Desktop, channel: DesktopChannel
) -> None:
    with desktop.daemon():
        await channel.deliver(STALE)
    desktop.stop()
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await channel.deliver(STALE)).evidence.startswith("taken by")
        assert daemon.wait_for(lambda _: True).number == 1


async def test_a_daemon_that_keeps_silent_is_given_up(desktop: Desktop) -> None:
    channel = DesktopChannel(Client(answer_s=0.2))
    with desktop.daemon(manner="silent"):
        receipt = await channel.deliver(STALE)
    await channel.close()
    assert not receipt.ok
    assert "did not answer within 0.2 s" in receipt.message


async def test_a_daemon_that_refuses_has_not_shown_it(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon(manner="refuses"):
        receipt = await channel.deliver(STALE)
    assert not receipt.ok
    assert "too many" in receipt.message


@pytest.mark.parametrize(
    ("capabilities", "body"),
    [
        pytest.param(
            "body,body-markup", "&lt;b&gt;R&amp;D&lt;/b&gt; &lt;a href=x&gt;", id="a daemon that reads markup"
        ),
        pytest.param("body", "<b>R&D</b> <a href=x>", id="a daemon that shows text"),
    ],
)
async def test_outside_text_is_never_markup(
    desktop: Desktop, channel: DesktopChannel, capabilities: str, body: str
) -> None:
    with desktop.daemon(capabilities=capabilities) as daemon:
        await channel.deliver(replace(STALE, body="<b>R&D</b> <a href=x>", do=""))
        assert daemon.wait_for(lambda _: True).body == body


async def test_text_that_the_bus_would_drop_is_cleaned(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        receipt = await channel.deliver(replace(STALE, title="a\0b\ud800c\x1b[31m", body="x\0y\udfff\nz", do=""))
        shown = daemon.wait_for(lambda _: True)
    assert receipt.ok
    assert (shown.summary, shown.body) == ("abc", "xy\nz")


@pytest.mark.parametrize(
    ("address", "why", "absent"),
    [
        pytest.param(None, "is not set", True, id="no bus named"),
        pytest.param("unix:path=/nonexistent/bus", "can't be reached", False, id="no bus there"),
        pytest.param("autolaunch:", "failed", False, id="one to be launched"),
        pytest.param("nonsense", "failed", False, id="no address at all"),
    ],
)
async def test_no_bus_is_said_and_none_is_started(
    address: str | None, why: str, channel: DesktopChannel, monkeypatch: pytest.MonkeyPatch, *, absent: bool
) -> None:
    if address is not None:
        monkeypatch.setenv(ADDRESS, address)
    receipt = await channel.deliver(STALE)
    assert (receipt.ok, receipt.absent) == (False, absent)
    assert why in receipt.message
    assert receipt.hint


async def test_the_bus_of_the_login_session_is_found_without_its_variable(
    short_dir: Path, channel: DesktopChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    monkeypatch.setenv(ADDRESS, "")
    with Desktop(short_dir) as bus, bus.daemon() as daemon:
        assert (await channel.deliver(STALE)).evidence.startswith("taken by")
        assert daemon.wait_for(lambda _: True).number == 1


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside tmux"])
async def test_the_terminal_is_rung(inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if inside:
        monkeypatch.setenv("TMUX", "/tmp/x,1,0")
    terminal = FakeTerminal()
    receipt = await TerminalChannel(None, terminal).deliver(replace(STALE, title="a\x1b]0;evil\x07b\nc", body=""))
    assert receipt.ok
    assert receipt.evidence == "bell and OSC 9"
    escape = "\x1b]9;teamops: ab c\x1b\\"
    wrapped = "\x1bPtmux;" + escape.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    assert terminal.getvalue() == (wrapped if inside else escape) + "\a"


async def test_a_file_is_no_terminal() -> None:
    file = io.StringIO()
    receipt = await TerminalChannel(None, file).deliver(STALE)
    assert not receipt.ok
    assert file.getvalue() == ""


def test_the_signal_is_one_line_of_bounded_length() -> None:
    signal = signal_for("x\n\a\x1b" * 1000, tmux=False)
    assert signal.count("\x1b") == 2
    assert signal.count("\a") == 1
    assert len(signal) < 300


def _command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", "notify", "test", "-C", str(folder), *arguments],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_command_says_by_which_way(desktop: Desktop, tmp_path: Path) -> None:
    with desktop.daemon() as daemon:
        done = _command(tmp_path)
        daemon.wait_for(lambda shown: "teamops" in shown.summary)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "desktop notification shown (taken by test daemon 1)\n"


def test_the_command_fails_when_nobody_is_told(desktop: Desktop, tmp_path: Path) -> None:
    done = _command(tmp_path, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert '"schema": "teamops.notify/1", "ok": false' in done.stdout


def test_all_channels_are_tried_where_that_is_asked(desktop: Desktop, tmp_path: Path) -> None:
    with desktop.daemon():
        done = _command(tmp_path, "--all")
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        1,
        "desktop notification shown (taken by test daemon 1)",
    )
    assert "terminal: run teamops in a terminal" in done.stdout


def test_what_was_tried_is_known_to_the_ledger(desktop: Desktop, tmp_path: Path) -> None:
    state = tmp_path / "state"
    _command(tmp_path, "--state-dir", str(state))
    assert not state.exists(), "nobody makes a ledger by trying a bell"
    (folder,) = _ledgers(tmp_path, state)
    with desktop.daemon():
        _command(tmp_path, "--state-dir", str(state))
    ledger = open_ledger(folder / "ledger.sqlite3")
    assert [(last.channel, last.receipt.ok) for last in ledger.outbox.last_tries()] == [("desktop", True)]
    assert ledger.outbox.waiting() == []
    ledger.close()


def _ledgers(project: Path, state: Path) -> list[Path]:
    """Make the project's ledger, as a first supervisor does, and return its folder."""
    folder = state_dir_of(load(project), state)
    open_ledger(folder / "ledger.sqlite3").close()
    return [folder]


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside tmux"])
def test_the_command_rings_the_terminal_it_runs_in(
    inside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if inside:
        monkeypatch.setenv("TMUX", "/tmp/none,1,0")
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "teamops", "notify", "test", "-C", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=30,
            check=False,
        )
        seen = os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert done.stdout.startswith(b"terminal bell rung: no desktop bus")
    assert seen.endswith(b"\a")
    assert b"]9;teamops: teamops can reach you" in seen
    assert seen.startswith(b"\x1bPtmux;\x1b\x1b]9;") is inside
