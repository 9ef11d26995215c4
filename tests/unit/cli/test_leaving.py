"""A signal that ends the program, wherever it comes upon it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from teamops.cli.leaving import SIGNALS, Leaving


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """Whatever a test does: a signal of these ends what runs the tests only if it did before."""
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_outside_of_a_loop_it_is_an_exception_at_once(number: signal.Signals) -> None:
    with pytest.raises(SystemExit) as ended, Leaving():
        signal.raise_signal(number)
    assert ended.value.code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("number", SIGNALS)
def test_inside_a_loop_no_callback_is_cut_in_two(number: signal.Signals) -> None:
    happened: list[str] = []

    async def work() -> None:
        def callback() -> None:
            signal.raise_signal(number)
            happened.append("its other half")

        asyncio.get_running_loop().call_soon(callback)
        await asyncio.Event().wait()

    task: list[asyncio.Task[None]] = []

    async def run() -> None:
        task.append(asyncio.ensure_future(work()))
        try:
            await task[0]
        except asyncio.CancelledError:
            happened.append("left by its own way")

    def leave() -> None:
        task[0].cancel()

    with pytest.raises(SystemExit) as ended, Leaving() as leaving, leaving.by(leave):
        asyncio.run(run())
    assert happened == ["its other half", "left by its own way"]
    assert ended.value.code == 128 + number


def test_a_loop_without_a_way_to_leave_is_left_nevertheless() -> None:
    async def run() -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    with pytest.raises(SystemExit), Leaving():
        asyncio.run(run())


def test_without_a_signal_nothing_is_raised() -> None:
    with Leaving() as leaving, leaving.by(lambda: pytest.fail("nobody said so")):
        asyncio.run(asyncio.sleep(0))


def test_the_program_that_has_the_terminal_ends_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as child:
        with pytest.raises(SystemExit), Leaving() as leaving, leaving.with_it(child):
            signal.raise_signal(signal.SIGHUP)
        assert child.wait(20) == -signal.SIGTERM


def test_what_whoever_started_it_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Leaving():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


HANGS = """
import asyncio, os, signal
from teamops.cli import leaving
leaving.LAST_S = 0.2
async def run():
    signal.raise_signal(signal.SIGTERM)
    await asyncio.Event().wait()
with leaving.Leaving() as told, told.by(lambda: None):
    asyncio.run(run())
"""


def test_what_does_not_leave_is_ended() -> None:
    assert subprocess.run([sys.executable, "-c", HANGS], check=False, timeout=30).returncode == 128 + signal.SIGTERM
