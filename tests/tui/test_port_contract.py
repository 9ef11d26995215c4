"""The fake keeps the contract the real supervisor keeps: tests on it mean something."""

from __future__ import annotations

import pytest

from teamops.model.snapshot import SupervisorPort
from tests.tui.fake_port import FakePort
from tests.tui.port_contract import PortContract


class TestFakePort(PortContract):
    @pytest.fixture
    def port(self) -> SupervisorPort:
        return FakePort()

    def change(self, port: SupervisorPort) -> None:
        assert isinstance(port, FakePort)
        port.publish()
