from __future__ import annotations

import io

import pytest

from teamops.config.settings import CHANNELS, NotifySettings
from teamops.effects.channels.registry import MAKERS, Around, channels
from teamops.effects.channels.terminal import TerminalChannel
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition


def page(**changed: object) -> Page:
    fields: dict[str, object] = {
        "id": "1",
        "transition": Transition.FIRED,
        "keys": (("agent-dead", "CODER"),),
        "thread": "agent-dead CODER",
        "severity": Severity.CRITICAL,
        "project": "shop",
        "title": "shop: CODER is dead",
        "body": "killed by signal 9",
        "do": "restart it (r)",
        "wall": 0.0,
    }
    return Page(**fields | changed)  # type: ignore[arg-type]


def test_every_name_that_may_be_configured_can_be_made() -> None:
    assert set(MAKERS) == set(CHANNELS)
    for name in CHANNELS:
        assert [made.name for made in channels(NotifySettings(channels=(name,)), Around())] == [name]


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        pytest.param(NotifySettings(), ("desktop", "terminal"), id="the default"),
        pytest.param(NotifySettings(channels=("terminal", "desktop")), ("terminal", "desktop"), id="turned round"),
        pytest.param(NotifySettings(desktop=False), ("terminal",), id="switched off"),
        pytest.param(NotifySettings(channels=("desktop",), desktop=False), (), id="named and switched off"),
    ],
)
def test_the_order(settings: NotifySettings, order: tuple[str, ...]) -> None:
    assert settings.order == order


async def test_the_terminal_is_rung_with_one_line() -> None:
    rung: list[str] = []

    def ring(line: str) -> bool:
        rung.append(line)
        return True

    receipt = await TerminalChannel(ring).deliver(page(body="a\x1b]0;x\x07b\nc"))
    assert receipt.ok
    assert rung == ["shop: CODER is dead: ab c"]


async def test_where_nobody_can_have_seen_it_nothing_was_delivered() -> None:
    receipt = await TerminalChannel(lambda _: False, io.StringIO()).deliver(page())
    assert (receipt.ok, receipt.absent) == (False, True)
