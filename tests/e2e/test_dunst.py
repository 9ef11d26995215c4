"""The channel ``desktop`` with a daemon that people use: dunst, on a bus and a display of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from teamops.effects.channels.desktop import DesktopChannel
from teamops.effects.channels.front import Front
from teamops.effects.desktop import ADDRESS
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Button, Page, Transition
from tests.dbus_daemon import Desktop

pytestmark = [
    pytest.mark.dbus,
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("dunst", "dunstctl", "Xvfb")),
        reason="needs dunst and Xvfb (Debian: apt-get install dunst xvfb)",
    ),
]

PAGE = Page(
    id="p1",
    transition=Transition.FIRED,
    keys=(("agent-stuck", "CODER"),),
    thread="agent-stuck CODER",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: CODER hangs",
    body="<b>no</b> sign & https://evil.example/x",
    do="poke it (p)",
    buttons=(Button.POKE, Button.SILENCE_1H),
    wall=0.0,
)
CONFIGURATION = "[global]\nmarkup = full\ndmenu = {}\nstack_duplicates = false\n"
MENU = '#!/bin/sh\ntee "{folder}/menu" | grep -F "$(cat "{folder}/wanted")"\n'


@dataclass(frozen=True, slots=True)
class Dunst:
    """A dunst that runs."""

    folder: Path
    env: dict[str, str]

    def ctl(self, *words: str) -> str:
        return subprocess.run(
            ["dunstctl", *words], env=self.env, capture_output=True, text=True, timeout=20, check=True
        ).stdout.strip()

    def press(self, label: str) -> None:
        """Choose ``label`` from the menu of its notifications' actions, as the person does."""
        (self.folder / "wanted").write_text(f"#{label} ")
        self.ctl("context")


async def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 20.0
    while not look():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


@pytest.fixture
def dunst(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dunst]:
    read, write = os.pipe()
    display = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1200x900x24", "-nolisten", "tcp"],
        pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as said:
        number = said.readline().strip()
    menu = short_dir / "menu.sh"
    menu.write_text(MENU.format(folder=short_dir))
    menu.chmod(0o700)
    (short_dir / "dunstrc").write_text(CONFIGURATION.format(menu))
    with Desktop(short_dir) as bus:
        env = {**os.environ, "DISPLAY": f":{number}", ADDRESS: bus.address}
        env.pop("WAYLAND_DISPLAY", None)
        monkeypatch.setenv(ADDRESS, bus.address)
        daemon = subprocess.Popen(
            ["dunst", "-conf", str(short_dir / "dunstrc")],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield Dunst(short_dir, env)
        finally:
            for process in (daemon, display):
                process.kill()
                process.wait(10)


async def test_it_shows_replaces_answers_and_closes(dunst: Dunst) -> None:
    heard: list[Answer] = []
    channel = DesktopChannel(front=Front({}, "Linux"))
    end = time.monotonic() + 20.0
    while await channel.start(heard.append):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    try:
        receipt = await channel.deliver(PAGE)
        assert receipt.ok
        assert receipt.evidence.startswith("taken by dunst 1.")
        await until(lambda: dunst.ctl("count", "displayed") == "1")
        again = await channel.deliver(replace(PAGE, id="p2", transition=Transition.REPEATED))
        assert again.message.endswith("in the earlier one's place")
        assert dunst.ctl("count", "displayed") == "1"

        dunst.press("Poke")
        await until(lambda: heard)
        assert [(answer.page, answer.button) for answer in heard] == [("p2", Button.POKE)]
        menu = (dunst.folder / "menu").read_text()
        assert menu.count("#") == 2
        assert "http" not in menu, "an address is no link there either"

        assert (await channel.deliver(replace(PAGE, id="p3", thread="another"))).ok
        await until(lambda: int(dunst.ctl("count", "displayed")) >= 1)
        shown = int(dunst.ctl("count", "displayed"))
        await channel.withdraw("another")
        await until(lambda: int(dunst.ctl("count", "displayed")) == shown - 1)
    finally:
        await channel.close()
