"""Notifications over a real message bus, with daemons that live, die, keep silent and come back."""

from __future__ import annotations

import gc
import io
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from teamops.config.settings import NotifySettings
from teamops.effects.desktop import ADDRESS
from teamops.effects.desktop import Desktop as Client
from teamops.effects.notify import Notifier, signal_for
from teamops.model.actions import Notify
from tests.dbus_daemon import Desktop

pytestmark = pytest.mark.dbus

STALE = Notify(title="REVIEWER is stale", body="13 minutes without a sign of work", critical=True)


@pytest.fixture
def desktop(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    with Desktop(short_dir) as bus:
        monkeypatch.setenv(ADDRESS, bus.address)
        yield bus


class Bell:
    """Takes the place of a terminal's bell."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def __call__(self, text: str) -> bool:
        self.rung.append(text)
        return True


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
async def notifier(bell: Bell) -> AsyncIterator[Notifier]:
    made = Notifier(NotifySettings(), ring=bell)
    yield made
    await made.close()


async def test_a_notification_reaches_the_daemon(desktop: Desktop, notifier: Notifier, bell: Bell) -> None:
    with desktop.daemon() as daemon:
        outcome = await notifier.send(STALE)
        shown = daemon.wait_for(lambda shown: shown.summary == STALE.title)
    assert outcome.ok
    assert "test daemon 1" in outcome.evidence
    assert (shown.app, shown.body, shown.urgency) == ("teamops", STALE.body, 2)
    assert bell.rung == []
    assert notifier.trouble == ""


async def test_what_is_not_critical_is_of_normal_urgency(desktop: Desktop, notifier: Notifier) -> None:
    with desktop.daemon() as daemon:
        await notifier.send(Notify(title="a", body="b", critical=False))
        assert daemon.wait_for(lambda _: True).urgency == 1


async def test_without_a_daemon_the_bell_rings_and_says_why(desktop: Desktop, notifier: Notifier, bell: Bell) -> None:
    await notifier.start()
    assert "no notification daemon" in notifier.trouble
    assert "terminal bell" in notifier.trouble
    outcome = await notifier.send(STALE)
    assert outcome.ok
    assert "no notification daemon" in outcome.message
    assert bell.rung == [f"{STALE.title}: {STALE.body}"]


async def test_a_daemon_that_comes_is_found_by_the_next_send(desktop: Desktop, notifier: Notifier, bell: Bell) -> None:
    await notifier.send(STALE)
    assert notifier.trouble
    with desktop.daemon() as daemon:
        outcome = await notifier.send(STALE)
        daemon.wait_for(lambda shown: shown.summary == STALE.title)
    assert outcome.message == "desktop notification shown"
    assert notifier.trouble == ""
    assert len(bell.rung) == 1


async def test_a_daemon_that_dies_is_noticed_and_its_successor_used(
    desktop: Desktop, notifier: Notifier, bell: Bell
) -> None:
    with desktop.daemon():
        assert (await notifier.send(STALE)).evidence.startswith("taken by")
    lost = await notifier.send(STALE)
    assert "bell" in lost.message
    assert len(bell.rung) == 1
    with desktop.daemon() as second:
        assert (await notifier.send(STALE)).evidence.startswith("taken by")
        assert second.wait_for(lambda _: True).number == 1


async def test_a_bus_that_ends_is_left_and_its_successor_used(
    desktop: Desktop, notifier: Notifier, bell: Bell, caplog: pytest.LogCaptureFixture
) -> None:
    with desktop.daemon():
        await notifier.send(STALE)
        desktop.stop()
        lost = await notifier.send(STALE)
    assert "desktop bus" in lost.message
    assert len(bell.rung) == 1
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await notifier.send(STALE)).evidence.startswith("taken by")
        daemon.wait_for(lambda shown: shown.summary == STALE.title)
    await notifier.close()
    gc.collect()  # what nobody retrieved complains now
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_bus_that_was_replaced_between_two_sends_loses_nothing(
    desktop: Desktop, notifier: Notifier, bell: Bell
) -> None:
    with desktop.daemon():
        await notifier.send(STALE)
    desktop.stop()
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await notifier.send(STALE)).evidence.startswith("taken by")
        assert daemon.wait_for(lambda _: True).number == 1
    assert bell.rung == []


async def test_a_daemon_that_keeps_silent_is_given_up(desktop: Desktop, bell: Bell) -> None:
    notifier = Notifier(NotifySettings(), ring=bell, desktop=Client(answer_s=0.2))
    with desktop.daemon(manner="silent"):
        outcome = await notifier.send(STALE)
    await notifier.close()
    assert "did not answer within 0.2 s" in outcome.message
    assert len(bell.rung) == 1


async def test_a_daemon_that_refuses_has_not_shown_it(desktop: Desktop, notifier: Notifier, bell: Bell) -> None:
    with desktop.daemon(manner="refuses"):
        outcome = await notifier.send(STALE)
    assert "too many" in outcome.message
    assert outcome.evidence == "bell"
    assert len(bell.rung) == 1


@pytest.mark.parametrize(
    ("capabilities", "body"),
    [
        pytest.param(
            "body,body-markup", "&lt;b&gt;R&amp;D&lt;/b&gt; &lt;a href=x&gt;", id="a daemon that reads markup"
        ),
        pytest.param("body", "<b>R&D</b> <a href=x>", id="a daemon that shows text"),
    ],
)
async def test_outside_text_is_never_markup(desktop: Desktop, notifier: Notifier, capabilities: str, body: str) -> None:
    with desktop.daemon(capabilities=capabilities) as daemon:
        await notifier.send(Notify(title="t", body="<b>R&D</b> <a href=x>", critical=False))
        assert daemon.wait_for(lambda _: True).body == body


async def test_text_that_the_bus_would_drop_is_cleaned(desktop: Desktop, notifier: Notifier) -> None:
    with desktop.daemon() as daemon:
        outcome = await notifier.send(Notify(title="a\0b\ud800c\x1b[31m", body="x\0y\udfff\nz", critical=False))
        shown = daemon.wait_for(lambda _: True)
    assert outcome.ok
    assert (shown.summary, shown.body) == ("abc", "xy\nz")


async def test_a_switched_off_desktop_is_left_alone(desktop: Desktop, bell: Bell) -> None:
    notifier = Notifier(NotifySettings(desktop=False), ring=bell)
    with desktop.daemon() as daemon:
        await notifier.start()
        outcome = await notifier.send(STALE)
        await notifier.close()
        assert daemon.received == []
    assert "switched off" in outcome.message
    assert notifier.trouble == ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        pytest.param(None, "is not set", id="no bus named"),
        pytest.param("unix:path=/nonexistent/bus", "can't be reached", id="no bus there"),
        pytest.param("autolaunch:", "failed", id="one to be launched"),
        pytest.param("nonsense", "failed", id="no address at all"),
    ],
)
async def test_no_bus_is_said_and_none_is_started(
    address: str | None, why: str, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    if address is not None:
        monkeypatch.setenv(ADDRESS, address)
    silent = Notifier(NotifySettings(terminal=False), ring=bell)
    outcome = await silent.send(STALE)
    await silent.close()
    assert not outcome.ok
    assert outcome.message.startswith("nobody was notified")
    assert outcome.hint
    assert why in outcome.message
    assert "reach nobody" in silent.trouble
    assert bell.rung == []


async def test_the_bus_of_the_login_session_is_found_without_its_variable(
    short_dir: Path, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    monkeypatch.setenv(ADDRESS, "")
    with Desktop(short_dir) as bus, bus.daemon() as daemon:
        assert (await notifier.send(STALE)).evidence.startswith("taken by")
        assert daemon.wait_for(lambda _: True).number == 1


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside tmux"])
async def test_the_terminal_is_rung_where_there_is_no_desktop(
    inside: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if inside:
        monkeypatch.setenv("TMUX", "/tmp/x,1,0")
    terminal = FakeTerminal()
    notifier = Notifier(NotifySettings(), terminal)
    outcome = await notifier.send(Notify(title="a\x1b]0;evil\x07b\nc", body="", critical=False))
    assert outcome.ok
    assert outcome.evidence == "bell and OSC 9"
    escape = "\x1b]9;teamops: ab c\x1b\\"
    wrapped = "\x1bPtmux;" + escape.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    assert terminal.getvalue() == (wrapped if inside else escape) + "\a"


async def test_a_file_is_no_terminal() -> None:
    page = io.StringIO()
    outcome = await Notifier(NotifySettings(), page).send(STALE)
    assert not outcome.ok
    assert page.getvalue() == ""


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
