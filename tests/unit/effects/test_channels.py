from __future__ import annotations

import pytest

from teamops.config.channels import CommandSettings, RemoteSettings
from teamops.config.settings import CHANNELS, NotifySettings
from teamops.effects.channels.registry import MAKERS, Around, channels


def test_every_name_that_may_be_configured_can_be_made() -> None:
    assert set(MAKERS) == set(CHANNELS)
    remote, command = RemoteSettings(urls=("json://h",)), CommandSettings(command=("true",))
    for name in CHANNELS:
        settings = NotifySettings(channels=(name,), remote=remote, command=command)
        assert [made.name for made in channels(settings, Around())] == [name]


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
