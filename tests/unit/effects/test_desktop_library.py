"""Notifications where there is no D-Bus: believed only when the library says that the system took them."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Callable

import pytest
from desktop_notifier.backends.base import DesktopNotifierBackend
from desktop_notifier.common import Capability, Notification

from teamops.effects import desktop
from teamops.effects.channels.desktop import DesktopChannel
from teamops.effects.channels.front import Front
from teamops.effects.desktop import Desktop, DesktopTrouble, Note
from teamops.effects.desktop_library import Library, _backend


class System(DesktopNotifierBackend):
    """A system that shows notifications."""

    def __init__(self, *, allows: bool = True, takes: bool = True) -> None:
        super().__init__("teamops")
        self._allows = allows
        self._takes = takes
        self.shown: dict[str, Notification] = {}

    async def request_authorisation(self) -> bool:
        return self._allows

    async def has_authorisation(self) -> bool:
        return False

    async def _send(self, notification: Notification) -> None:
        if not self._takes:
            raise RuntimeError("the centre is closed")
        self.shown[notification.identifier] = notification

    async def _clear(self, identifier: str) -> None:
        del self.shown[identifier]

    async def _clear_all(self) -> None:
        self.shown.clear()

    async def _get_capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[System], None]:
    _prepare_log()
    monkeypatch.setattr(desktop, "_on_bus", lambda: False)

    def use(system: System) -> None:
        monkeypatch.setattr(desktop, "_way", lambda: Library(lambda: system))

    return use


def _prepare_log() -> None:
    """Let the library's complaints be heard as they are in use."""
    with pytest.raises(DesktopTrouble):
        _backend_of_a_mac_program()


def _backend_of_a_mac_program() -> None:
    import desktop_notifier.main
    from desktop_notifier.backends.dummy import DummyNotificationCenter

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desktop_notifier.main, "get_backend_class", lambda: DummyNotificationCenter)
        _backend()


NOTE = Note(title="a", body="b", urgent=True, thread="t", buttons=(("poke", "Poke"),))


async def test_what_the_system_took_is_shown_and_its_button_answers(use: Callable[[System], None]) -> None:
    system = System()
    use(system)
    pressed: list[tuple[str, str]] = []
    screen = Desktop(press=lambda thread, key: pressed.append((thread, key)))
    shown = await screen.show(NOTE)
    await screen.show(NOTE)
    assert (shown.who, shown.buttons) == ("the system", 1)
    [notification] = system.shown.values()
    assert (notification.title, notification.message, notification.urgency.value) == ("a", "b", "critical")
    on_pressed = notification.buttons[0].on_pressed
    assert on_pressed is not None
    on_pressed()
    assert pressed == [("t", "poke")]
    await screen.take_away("t")
    assert system.shown == {}
    await screen.close()
    await screen.take_away("t")  # it has left


@pytest.mark.parametrize(
    ("system", "why", "absent"),
    [
        (System(allows=False), "settings don't let teamops", True),
        (System(takes=False), "RuntimeError: the centre is closed", False),
    ],
)
async def test_what_it_did_not_take_is_not_believed(
    use: Callable[[System], None], system: System, why: str, *, absent: bool
) -> None:
    use(system)
    screen = Desktop()
    written = logging.handlers.BufferingHandler(100)  # as the handler that would write over the screen
    logging.getLogger().addHandler(written)
    try:
        with pytest.raises(DesktopTrouble, match=why) as told:
            await screen.show(NOTE)
    finally:
        logging.getLogger().removeHandler(written)
    assert told.value.absent is absent
    assert written.buffer == [], "the screen stays whole"


async def test_a_system_that_shows_nothing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    import desktop_notifier.main
    from desktop_notifier.backends.dummy import DummyNotificationCenter

    monkeypatch.setattr(desktop, "_on_bus", lambda: False)
    monkeypatch.setattr(desktop_notifier.main, "get_backend_class", lambda: DummyNotificationCenter)
    channel = DesktopChannel(front=Front({}, "Darwin"))
    assert "outside an app bundle" in await channel.start(lambda _: None)
