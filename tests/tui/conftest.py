"""A screen on the fake port, at any size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from teamops.config.settings import Settings
from teamops.model.snapshot import AttachPlan
from teamops.tui.app import Colours, TeamopsApp
from tests.tui.fake_port import FakePort

ROOT = Path("/home/ada/notify-hub")
SETTINGS = Settings(
    root=ROOT, project="notify-hub", handoff=ROOT / "current.md", roles=(), source=ROOT / "teamops.toml"
)

MakeApp = Callable[..., TeamopsApp]


@pytest.fixture
def port() -> FakePort:
    return FakePort()


@pytest.fixture
def make_app(port: FakePort) -> MakeApp:
    def make(
        run_attach: Callable[[AttachPlan], None] | None = None,
        *,
        colours: Colours = "rich",
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> TeamopsApp:
        return TeamopsApp(port, SETTINGS, run_attach, colours=colours, monotonic=monotonic)

    return make
