"""The channel ``desktop`` over a real message bus, with daemons that live, die, keep silent, babble and come back."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.effects.channels.desktop import DesktopChannel
from teamops.effects.channels.front import Front, steps
from teamops.effects.desktop import ADDRESS
from teamops.effects.desktop import Desktop as Client
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Button, Page, Transition
from teamops.model.role import REVIEWER
from tests.dbus_daemon import Desktop

pytestmark = pytest.mark.dbus

PAGE = Page(
    id="p1",
    transition=Transition.FIRED,
    keys=(("handoff-stale", "webhooks"),),
    thread="handoff-stale webhooks",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: REVIEWER is stale",
    body="13 minutes without a sign of work",
    do="poke it",
    role=REVIEWER,
    buttons=(Button.ACK, Button.POKE, Button.RESTART, Button.SILENCE_1H),
    wall=0.0,
)
NO_WAY = Front({}, "Linux")


@pytest.fixture
def desktop(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    with Desktop(short_dir) as bus:
        monkeypatch.setenv(ADDRESS, bus.address)
        yield bus


class Ear:
    """Hears what the person answers."""

    def __init__(self) -> None:
        self.heard: list[Answer] = []

    def __call__(self, answer: Answer) -> None:
        self.heard.append(answer)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def channel(ear: Ear) -> AsyncIterator[DesktopChannel]:
    made = DesktopChannel(front=NO_WAY)
    made._hear = ear
    yield made
    await made.close()


async def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 10.0
    while not look():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_page_reaches_the_daemon(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        receipt = await channel.deliver(PAGE)
        shown = daemon.wait_for(lambda _: True)
    assert (receipt.ok, receipt.message, receipt.evidence) == (
        True,
        "desktop notification shown",
        "taken by test daemon 1",
    )
    assert (shown.app, shown.summary, shown.body) == ("teamops", PAGE.title, f"{PAGE.body}\nPoke it")
    assert (shown.urgency, shown.expires) == (2, 0)


@pytest.mark.parametrize(
    ("page", "urgency", "expires"),
    [
        pytest.param(replace(PAGE, severity=Severity.WARNING), 1, -1, id="a warning"),
        pytest.param(replace(PAGE, transition=Transition.RESOLVED), 1, 10_000, id="one that is over"),
    ],
)
async def test_what_is_not_critical_comes_quietly(
    desktop: Desktop, channel: DesktopChannel, page: Page, urgency: int, expires: int
) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(page)
        shown = daemon.wait_for(lambda _: True)
    assert (shown.urgency, shown.expires) == (urgency, expires)


async def test_the_later_page_of_a_thread_takes_the_earlier_ones_place(
    desktop: Desktop, channel: DesktopChannel
) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(PAGE)
        again = await channel.deliver(replace(PAGE, id="p2", title="still stale"))
        other = await channel.deliver(replace(PAGE, id="p3", thread="another"))
        daemon.wait_for(lambda shown: shown.number == 3)
        assert [(shown.number, shown.replaces) for shown in daemon.received] == [(1, 0), (1, 1), (3, 0)]
    assert "in the earlier one's place" in again.message
    assert other.message == "desktop notification shown"


async def test_what_the_person_closed_is_not_replaced(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(PAGE)
        daemon.close(1)
        bus = channel._desktop._way
        await until(lambda: not bus._given)  # type: ignore[attr-defined]
        await channel.deliver(replace(PAGE, id="p2"))
        assert daemon.wait_for(lambda shown: shown.number == 2).replaces == 0


async def test_what_needs_nobody_any_more_is_closed(desktop: Desktop, channel: DesktopChannel, ear: Ear) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(PAGE)
        await channel.deliver(replace(PAGE, id="p2", thread="another"))
        await channel.withdraw("none of them")
        await channel.withdraw(PAGE.thread)
        await channel.withdraw(PAGE.thread)
        daemon.press(1, "poke")
        assert (await channel.deliver(replace(PAGE, id="p3"))).message == "desktop notification shown"
        daemon.wait_for(lambda shown: shown.number == 3)
        await until(lambda: daemon.closed)
    assert daemon.closed == [1]
    assert ear.heard == []


async def test_nothing_is_closed_by_a_successor_and_one_that_hangs_keeps_nobody(
    desktop: Desktop, channel: DesktopChannel
) -> None:
    await channel.withdraw(PAGE.thread)  # nothing was shown at all
    with desktop.daemon():
        await channel.deliver(PAGE)
    with desktop.daemon() as second:
        assert (await channel.deliver(replace(PAGE, id="p2", thread="another"))).ok
        await channel.withdraw(PAGE.thread)
        assert second.closed == []
        os.kill(second.pid, signal.SIGSTOP)
        began = time.monotonic()
        await channel.withdraw("another")
        assert time.monotonic() - began < 4.0


async def test_a_new_daemon_is_not_asked_to_replace_what_it_never_had(
    desktop: Desktop, channel: DesktopChannel
) -> None:
    with desktop.daemon():
        await channel.deliver(PAGE)
    with desktop.daemon() as second:
        receipt = await channel.deliver(replace(PAGE, id="p2"))
        assert second.wait_for(lambda _: True).replaces == 0
    assert receipt.message == "desktop notification shown"


async def test_buttons_answer_once(desktop: Desktop, channel: DesktopChannel, ear: Ear) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(PAGE)
        actions = daemon.wait_for(lambda _: True).actions
        assert actions == ("poke", "Poke", "silence-1h", "Silence 1 h", "ack", "Seen")
        daemon.press(1, "poke")
        daemon.press(1, "poke")
        await until(lambda: ear.heard)
        await channel.deliver(replace(PAGE, id="p2"))  # what was pressed before has been heard by now
    assert ear.heard == [Answer(page="p1", keys=PAGE.keys, button=Button.POKE, channel="desktop")]


async def test_who_presses_before_it_is_known_to_be_shown_is_heard(
    desktop: Desktop, channel: DesktopChannel, ear: Ear
) -> None:
    with desktop.daemon(manner="pressed"):
        for page in (PAGE, replace(PAGE, id="p2")):
            assert (await channel.deliver(page)).ok
    assert [(answer.page, answer.button) for answer in ear.heard] == [("p1", Button.POKE), ("p2", Button.POKE)]


async def test_only_the_daemon_that_took_it_is_believed(desktop: Desktop, channel: DesktopChannel, ear: Ear) -> None:
    with desktop.daemon() as daemon, desktop.daemon(capabilities="stranger") as stranger:
        await channel.deliver(PAGE)
        came: list[object] = []
        channel._desktop._way._bus.add_message_handler(lambda message: came.append(message.member))  # type: ignore[attr-defined]
        stranger.press(1, "restart")
        stranger.press(1, "poke")
        stranger.close(1)
        await until(lambda: "NotificationClosed" in came)
        daemon.press(1, "restart")  # not among the buttons that it was given
        daemon.press(2, "poke")  # no notification of ours
        daemon.babble("ActionInvoked", "ss", ["1", "poke"])
        daemon.babble("Other", "us", [1, "poke"])
        daemon.press(1, "silence-1h")
        await until(lambda: ear.heard)
        await channel.deliver(replace(PAGE, id="p2"))
    assert [answer.button for answer in ear.heard] == [Button.SILENCE_1H]


async def test_a_daemon_without_buttons_or_bodies_gets_none(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon(capabilities="sound") as daemon:
        assert (await channel.deliver(PAGE)).ok
        shown = daemon.wait_for(lambda _: True)
    assert shown.actions == ()
    assert shown.summary == f"{PAGE.title}: {PAGE.body} Poke it"


async def test_the_way_to_the_screen_is_offered_where_there_is_one(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "xdotool"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    env = {"DISPLAY": ":0", "WINDOWID": "77", "PATH": f"{tool.parent}:/usr/bin:/bin"}
    channel = DesktopChannel(front=Front(env, "Linux"))
    with desktop.daemon() as daemon:
        assert await channel.start(lambda _: None) == ""
        await channel.deliver(PAGE)
        labels = daemon.wait_for(lambda _: True).actions
        assert labels == ("default", "Open", "poke", "Poke", "open", "Open", "silence-1h", "Silence 1 h")
        daemon.press(1, "open")
        await until((tmp_path / "called").exists)
        await until(lambda: (tmp_path / "called").read_text() == "windowactivate 77\n")
        await channel.close()


def test_ways_to_the_front(tmp_path: Path) -> None:
    assert steps({}, "Linux") == ()
    assert steps({"DISPLAY": ":0", "WINDOWID": "1; reboot", "PATH": "/nowhere"}, "Linux") == ()
    assert steps({"TERM_PROGRAM": "iTerm.app"}, "Darwin") == (["open", "-a", "iTerm"],)
    (tmp_path / "kitten").write_text("")
    (tmp_path / "kitten").chmod(0o755)
    kitty = {"KITTY_LISTEN_ON": "unix:/x", "KITTY_WINDOW_ID": "3", "PATH": str(tmp_path)}
    assert steps(kitty, "Linux") == (["kitten", "@", "--to", "unix:/x", "focus-window", "--match", "id:3"],)


@pytest.mark.tmux
def test_the_pane_is_brought_to_the_front_of_its_session(short_dir: Path) -> None:
    socket = str(short_dir / "s")

    def tmux(*words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", socket, "-f", "/dev/null", *words], capture_output=True, text=True, timeout=20, check=True
        ).stdout.strip()

    pane = tmux("new-session", "-d", "-P", "-F", "#{pane_id}", "sleep 60")
    try:
        tmux("new-window", "sleep 60")
        assert tmux("display-message", "-p", "#{pane_id}") != pane
        Front({"TMUX": f"{socket},1,0", "TMUX_PANE": pane, "PATH": "/usr/bin:/bin:/usr/local/bin"}, "Linux")._walk()
        assert tmux("display-message", "-p", "#{pane_id}") == pane
    finally:
        tmux("kill-server")


async def test_without_a_daemon_it_is_said_and_the_next_page_tries_again(
    desktop: Desktop, channel: DesktopChannel, ear: Ear
) -> None:
    assert "no notification daemon" in await channel.start(ear)
    receipt = await channel.deliver(PAGE)
    assert (receipt.ok, receipt.retry, receipt.absent) == (False, True, False)
    assert "no notification daemon" in receipt.message
    assert receipt.hint
    with desktop.daemon() as daemon:
        assert (await channel.deliver(PAGE)).ok
        daemon.wait_for(lambda shown: shown.summary == PAGE.title)
        assert await channel.start(ear) == ""


async def test_a_daemon_that_dies_is_noticed_and_its_successor_used(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon():
        assert (await channel.deliver(PAGE)).ok
    assert not (await channel.deliver(PAGE)).ok
    with desktop.daemon() as second:
        assert (await channel.deliver(PAGE)).ok
        assert second.wait_for(lambda _: True).number == 1


async def test_a_bus_that_ends_is_left_and_its_successor_used(
    desktop: Desktop, channel: DesktopChannel, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    with desktop.daemon():
        await channel.deliver(PAGE)
        desktop.stop()
        lost = await channel.deliver(PAGE)
    assert (lost.ok, lost.retry) == (False, True)
    assert "desktop bus" in lost.message
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await channel.deliver(PAGE)).ok
        daemon.wait_for(lambda shown: shown.replaces == 0)
        daemon.press(1, "poke")
        await until(lambda: ear.heard)
    await channel.close()
    gc.collect()  # what nobody retrieved complains now
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_bus_that_was_replaced_between_two_pages_loses_nothing(
    desktop: Desktop, channel: DesktopChannel
) -> None:
    with desktop.daemon():
        await channel.deliver(PAGE)
    desktop.stop()
    desktop.start()
    with desktop.daemon() as daemon:
        assert (await channel.deliver(PAGE)).ok
        assert daemon.wait_for(lambda _: True).number == 1


@pytest.mark.parametrize(
    ("manner", "why"),
    [
        ("silent", "did not answer within 0.3 s"),
        ("refuses", "the notification daemon refuses: too many"),
        ("garbage", "an answer to GetServerInformation that means nothing"),
        ("zero", "gave no number"),
    ],
)
async def test_a_daemon_that_does_not_show_it_is_not_believed(desktop: Desktop, manner: str, why: str) -> None:
    channel = DesktopChannel(Client(answer_s=0.3 if manner == "silent" else 5.0), NO_WAY)
    with desktop.daemon(manner=manner) as daemon:  # type: ignore[arg-type]
        began = time.monotonic()
        receipt = await channel.deliver(PAGE)
        assert time.monotonic() - began < channel.limit_s
        await channel.close()
        del daemon
    assert (receipt.ok, receipt.retry, receipt.absent) == (False, True, False)
    assert why in receipt.message
    assert receipt.hint


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
        await channel.deliver(replace(PAGE, body="<b>R&D</b> <a href=x>", do=""))
        assert daemon.wait_for(lambda _: True).body == body


async def test_a_desktop_that_makes_links_of_addresses_finds_none(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(replace(PAGE, body="see https://evil.example/a", do=""))
        assert daemon.wait_for(lambda _: True).body == "see https[:]//evil[.]example/a"


async def test_text_that_the_bus_would_drop_is_cleaned(desktop: Desktop, channel: DesktopChannel) -> None:
    with desktop.daemon() as daemon:
        receipt = await channel.deliver(replace(PAGE, title="a\0b\ud800c\x1b[31m", body="x\0y\udfff\nz", do=""))
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
    address: str | None, why: str, monkeypatch: pytest.MonkeyPatch, channel: DesktopChannel, *, absent: bool
) -> None:
    if address is not None:
        monkeypatch.setenv(ADDRESS, address)
    receipt = await channel.deliver(PAGE)
    assert (receipt.ok, receipt.absent) == (False, absent)
    assert why in receipt.message


async def test_the_bus_of_the_login_session_is_found_without_its_variable(
    short_dir: Path, channel: DesktopChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    monkeypatch.setenv(ADDRESS, "")
    with Desktop(short_dir) as bus, bus.daemon() as daemon:
        assert (await channel.deliver(PAGE)).ok
        assert daemon.wait_for(lambda _: True).number == 1


async def test_what_was_pressed_after_the_end_is_not_heard(desktop: Desktop, channel: DesktopChannel, ear: Ear) -> None:
    with desktop.daemon() as daemon:
        await channel.deliver(PAGE)
        await channel.close()
        daemon.press(1, "poke")
        await channel.deliver(replace(PAGE, id="p2"))
        daemon.wait_for(lambda shown: shown.number == 2)
    assert ear.heard == []
