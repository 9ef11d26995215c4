"""What every channel promises the outbox, asked of each one over the real thing that it speaks to.

A new channel is a new world below: its way when all is well, when the other side refuses, and when it hangs.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from teamops.config.channels import CommandSettings, RemoteSettings, Signal
from teamops.config.settings import CHANNELS
from teamops.effects.channels.command import CommandChannel
from teamops.effects.channels.desktop import DesktopChannel
from teamops.effects.channels.front import Front
from teamops.effects.channels.port import Channel
from teamops.effects.channels.registry import MAKERS
from teamops.effects.channels.remote import RemoteChannel
from teamops.effects.channels.terminal import TerminalChannel
from teamops.effects.channels.trying import attempted
from teamops.effects.desktop import ADDRESS
from teamops.effects.desktop import Desktop as Client
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
from tests.dbus_daemon import Desktop
from tests.http_service import Reply, Service

pytestmark = pytest.mark.dbus

State = Literal["well", "refuses", "hangs"]

KEY = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
CREDENTIAL = "hunter22-very-secret"
PAGE = Page(
    id="p1",
    transition=Transition.FIRED,
    keys=(("agent-dead", "CODER"),),
    thread="agent-dead CODER",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: CODER is dead",
    body="killed by signal 9",
    do="restart it (r)",
    wall=0.0,
)


@dataclass(frozen=True, slots=True)
class World:
    """A channel, and what came out at its other side: one text for each notification a person sees."""

    channel: Channel
    seen: Callable[[int], list[str]]
    """Is told how often something came out."""


class FakeTerminal(io.StringIO):
    def __init__(self, *, is_one: bool = True) -> None:
        super().__init__()
        self._is_one = is_one

    def isatty(self) -> bool:
        return self._is_one


def desktop(state: State, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> World:
    bus = stack.enter_context(Desktop(folder))
    monkeypatch.setenv(ADDRESS, bus.address)
    manner: Literal["well", "refuses", "silent"] = "silent" if state == "hangs" else state
    daemon = stack.enter_context(bus.daemon(manner=manner))

    def seen(times: int) -> list[str]:
        daemon.wait_for(lambda _: len(daemon.received) >= times)
        latest = {shown.number: f"{shown.summary}\n{shown.body}" for shown in daemon.received}
        return list(latest.values())

    return World(DesktopChannel(Client(answer_s=1.0), Front({}, "Linux")), seen)


def terminal(state: State, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> World:
    there = FakeTerminal(is_one=state == "well")
    channel = TerminalChannel(None, there, Signal.OSC9, {})
    return World(channel, lambda _: [part for part in there.getvalue().split("\a") if part])


def remote(state: State, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> World:
    reply = {"well": Reply(), "refuses": Reply(403), "hangs": Reply(after_s=60.0)}[state]
    service = stack.enter_context(Service(reply))
    url = f"json://ada:{CREDENTIAL}@127.0.0.1:{service.port}/{CREDENTIAL}?rto=50"
    channel = RemoteChannel(RemoteSettings(urls=(url,), timeout_s=2.0 if state == "hangs" else 20.0))
    return World(channel, lambda _: [f"{got.body['title']}\n{got.body['message']}" for got in service.got])


def command(state: State, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("MY_TOKEN", CREDENTIAL)
    program = {
        "well": "import sys; open('seen', 'a').write(sys.stdin.read())",
        "refuses": "import os; print('token=' + os.environ['MY_TOKEN']); exit(1)",
        "hangs": "import time; time.sleep(60)",
    }[state]
    settings = CommandSettings(command=(sys.executable, "-c", program), cwd=folder, timeout_s=2.0)

    def seen(_: int) -> list[str]:
        lines = (folder / "seen").read_text().splitlines() if (folder / "seen").exists() else []
        told = [json.loads(line) for line in lines]
        return [f"{page['title']}\n{page['body']}" for page in told]

    if state == "well":
        settings = replace(settings, timeout_s=20.0)
    return World(CommandChannel(settings), seen)


WORLDS = {"desktop": desktop, "terminal": terminal, "remote": remote, "command": command}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


Make = Callable[[State], World]


@pytest.fixture(params=CHANNELS)
async def make(
    request: pytest.FixtureRequest, short_dir: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    made: list[World] = []

    def world(state: State) -> World:
        made.append(WORLDS[request.param](state, short_dir, stack, monkeypatch))
        return made[-1]

    yield world
    for one in made:
        await one.channel.close()
        await one.channel.close()  # twice is fine


def test_no_channel_is_without_its_world() -> None:
    assert set(WORLDS) == set(CHANNELS) == set(MAKERS)


async def test_what_is_delivered_was_seen_and_is_proved(make: Make) -> None:
    world = make("well")
    assert await world.channel.start(lambda _: None) == ""
    receipt = await attempted(world.channel, PAGE)
    assert receipt.ok
    assert receipt.message
    assert receipt.evidence
    [text] = world.seen(1)
    assert "shop: CODER is dead" in text
    assert "killed by signal 9" in text


@pytest.mark.parametrize("state", ["refuses", "hangs"])
async def test_what_was_not_taken_is_no_delivery_and_ends_in_time(make: Make, state: State) -> None:
    world = make(state)
    began = time.monotonic()
    await world.channel.start(lambda _: None)
    assert time.monotonic() - began < 4.0
    began = time.monotonic()
    receipt = await world.channel.deliver(PAGE)  # by itself: nobody cuts it off
    assert time.monotonic() - began < world.channel.limit_s
    assert not receipt.ok
    assert receipt.message
    assert receipt.hint
    assert CREDENTIAL not in repr(receipt)


async def test_words_are_cleaned_and_keep_no_secret(make: Make) -> None:
    world = make("well")
    body = f"a\x1b]0;evil\x07b \x9b31mred\u202e\ud800 {KEY}\x00"
    receipt = await attempted(world.channel, replace(PAGE, title=f"shop:\x1b[2J\n{KEY}", body=body))
    assert receipt.ok
    [text] = world.seen(1)
    assert "ab red [secret]" in text.replace("\n", " ")
    assert "shop: [secret]" in text
    for hidden in ("evil", "\x9b", "\u202e", "\ud800", "\x00", KEY, "[2J"):
        assert hidden not in text
        assert hidden not in repr(receipt)
    assert CREDENTIAL not in repr(receipt)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(replace(PAGE, title="", body="", do="", thread="", keys=()), id="nothing"),
        pytest.param(replace(PAGE, title="x" * 1_000_000, body="y\n" * 500_000, do="z" * 100_000), id="far too much"),
        pytest.param(replace(PAGE, project="\ud800\0", thread="\udfff;\x1b", title="-rf; $(x) `x` #{x}"), id="odd"),
    ],
)
async def test_any_page_can_be_delivered_in_bounded_room(make: Make, page: Page) -> None:
    world = make("well")
    receipt = await attempted(world.channel, page)
    assert receipt.ok, receipt
    [text] = world.seen(1)
    assert len(text) < 3000


async def test_the_same_page_again_is_the_same_notification_where_the_other_side_lets_it(make: Make) -> None:
    world = make("well")
    for _ in range(2):
        assert (await attempted(world.channel, PAGE)).ok
    times = len(world.seen(2))
    assert times == (1 if world.channel.name == "desktop" else 2)
