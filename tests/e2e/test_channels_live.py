"""A real supervisor, a real alert, a real channel: what comes out at the other side, and what comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.desktop import ADDRESS
from teamops.model.alert import Alert
from teamops.supervisor.thread import SupervisorThread
from tests.dbus_daemon import Desktop
from tests.http_service import Reply, Service, Tarpit

pytestmark = pytest.mark.dbus

SECRET = "hunter22-very-secret"  # noqa: S105 - none at all
STALE = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: DEVELOPER\n**Task**: webhooks\n"
LIMITS = "[limits]\nwaiting_s = 1\nstale_s = 2\n"


@contextmanager
def supervised(folder: Path, notify: str) -> Iterator[SupervisorThread]:
    root = folder / "shop"
    root.mkdir()
    (root / "current.md").write_text(STALE)
    (root / "teamops.toml").write_text(notify + LIMITS)
    thread = SupervisorThread(load(root), state_dir=folder / "state", ring=lambda _: False)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
        assert thread.failed == ""


def until(look: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + 30.0
    while not look():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


def stale(thread: SupervisorThread) -> Alert | None:
    return next((alert for alert in thread.snapshot().alerts if alert.code == "handoff-stale"), None)


def test_a_button_on_the_desktop_silences_the_alert(
    short_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desktop(short_dir) as bus, bus.daemon() as daemon:
        monkeypatch.setenv(ADDRESS, bus.address)
        with supervised(tmp_path, '[notify]\nchannels = ["desktop"]\n') as thread:
            shown = daemon.wait_for(lambda shown: "stale" in shown.summary or "stale" in shown.body, 30.0)
            assert "silence-1h" in shown.actions
            daemon.press(shown.number, "silence-1h")

            def silenced() -> bool:
                alert = stale(thread)
                return alert is not None and alert.silenced(time.time())

            until(silenced, lambda: thread.snapshot().log[:5])
            until(lambda: any("you answered by desktop" in line.text for line in thread.snapshot().log))


def test_a_service_that_is_down_for_a_moment_gets_the_page_and_no_secret_is_kept(tmp_path: Path) -> None:
    with Service(Reply(503, {"Retry-After": "1"}), Reply()) as service:
        urls = tmp_path / "urls"
        urls.write_text(f"json://ada:{SECRET}@127.0.0.1:{service.port}/{SECRET}\n")
        urls.chmod(0o600)
        notify = f'[notify]\nchannels = ["remote"]\n[notify.remote]\nurls_file = "{urls}"\n'
        with supervised(tmp_path, notify) as thread:
            until(lambda: len(service.got) >= 2, lambda: thread.snapshot().log[:5])
            until(lambda: any("taken by json://127.0.0.1" in line.text for line in thread.snapshot().log))
            assert SECRET not in repr(thread.snapshot())
        first, second = service.got[:2]
        assert first.body == second.body
        assert first.body["title"]
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert SECRET.encode() not in stored


def test_a_service_that_hangs_delays_neither_another_nor_the_rounds_nor_the_end(tmp_path: Path) -> None:
    with Tarpit() as tarpit, Service() as good:
        urls = tmp_path / "urls"
        urls.write_text(f"json://127.0.0.1:{tarpit.port}\njson://127.0.0.1:{good.port}\n")
        urls.chmod(0o600)
        notify = f'[notify]\nchannels = ["remote"]\n[notify.remote]\nurls_file = "{urls}"\ntimeout_s = "2m"\n'
        with supervised(tmp_path, notify) as thread:
            until(lambda: good.got and tarpit.asked.is_set(), lambda: thread.snapshot().log[:5])
            revision = thread.snapshot().revision
            until(lambda: thread.snapshot().revision > revision + 2)
            began = time.monotonic()
        assert time.monotonic() - began < 8.0
