"""A desktop for tests: a real message bus at an address of its own, and notification daemons that live and die on it.

    with Desktop(short_dir) as desktop, desktop.daemon() as daemon:
        …  # with DBUS_SESSION_BUS_ADDRESS = desktop.address
        daemon.wait_for(lambda shown: "stale" in shown.summary)

Run as a program it is the notification daemon itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, get_args

import pytest

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from dbus_fast.message import Message

Manner = Literal["well", "silent", "refuses", "garbage", "zero", "pressed"]

DEADLINE_S = 10.0
NAME = "org.freedesktop.Notifications"
OBJECT = "/org/freedesktop/Notifications"

_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
_INTERFACE = """\
<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node><interface name="org.freedesktop.Notifications">
  <method name="GetCapabilities"><arg direction="out" type="as"/></method>
  <method name="GetServerInformation">
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
  </method>
  <method name="Notify">
    <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
    <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
    <arg direction="in" type="a{sv}"/><arg direction="in" type="i"/><arg direction="out" type="u"/>
  </method>
  <method name="CloseNotification"><arg direction="in" type="u"/></method>
  <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
</interface></node>
"""


def need_dbus() -> None:
    """Skip the calling test where there is no message bus program; in CI that is an error instead."""
    if shutil.which("dbus-daemon") is None:
        if os.environ.get("CI"):
            pytest.fail("dbus-daemon is missing: CI must install it")
        pytest.skip("dbus-daemon is not installed (Debian: apt-get install dbus-daemon)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A notification as the daemon was given it."""

    number: int
    app: str
    summary: str
    body: str
    urgency: int
    replaces: int = 0
    """The number of the one whose place it was to take."""
    actions: tuple[str, ...] = ()
    """Keys and labels by turns."""
    expires: int = -1


class Desktop:
    """A message bus without any daemon on it at first. A context manager."""

    def __init__(self, folder: Path) -> None:
        need_dbus()
        self._folder = folder
        self._socket = folder / "bus"
        self.address = f"unix:path={self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the bus (again, at the same address) and wait until it listens."""
        configuration = self._folder / "bus.xml"
        configuration.write_text(_BUS.format(socket=self._socket))
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()  # printed once it listens; empty if it ended instead
        assert line.startswith(b"unix:"), f"dbus-daemon did not start: {line!r}"

    def stop(self) -> None:
        """End the bus, and with it every connection."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def daemon(self, *, capabilities: str = "body,actions", manner: Manner = "well") -> Daemon:
        """Start a notification daemon and wait until it owns its name.

        The capability ``stranger`` makes one that owns no name: it may only send signals. ``manner``: it works well,
        takes every call and is silent, refuses to show a notification, answers what means nothing, gives no number,
        has the first button pressed before it has said that it shows it.
        """
        return Daemon(self.address, capabilities, manner)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Daemon:
    """A running notification daemon. A context manager."""

    def __init__(self, address: str, capabilities: str, manner: Manner) -> None:
        self.received: list[Shown] = []
        self.closed: list[int] = []
        """Numbers of the notifications that it was asked to close."""
        self._change = threading.Condition()
        self._ready = False
        arguments = [address, "--capabilities", capabilities, "--manner", manner]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, name="notification daemon")
        self._reader.start()
        with self._change:
            if not self._change.wait_for(lambda: self._ready, DEADLINE_S):
                raise AssertionError("the notification daemon did not get ready")

    def wait_for(self, wanted: Callable[[Shown], bool], deadline_s: float = DEADLINE_S) -> Shown:
        """Return the first notification that is ``wanted``, now or within ``deadline_s``. May be called in a thread."""
        end = time.monotonic() + deadline_s
        with self._change:
            while True:
                found = next((shown for shown in self.received if wanted(shown)), None)
                if found is not None:
                    return found
                if not self._change.wait(end - time.monotonic()):
                    raise AssertionError(f"not notified within {deadline_s:g} s; received: {self.received}")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def press(self, number: int, key: str) -> None:
        """Say that the person pressed the button ``key`` of the notification ``number``."""
        self._say({"signal": "ActionInvoked", "signature": "us", "body": [number, key]})

    def close(self, number: int) -> None:
        """Say that the person closed the notification ``number``."""
        self._say({"signal": "NotificationClosed", "signature": "uu", "body": [number, 2]})

    def babble(self, signal: str, signature: str, body: list[object]) -> None:
        """Send a signal that no daemon would."""
        self._say({"signal": signal, "signature": signature, "body": body})

    def _say(self, order: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Kill it; the bus takes its name away."""
        self._process.kill()
        self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            with self._change:
                if event == "ready":
                    self._ready = True
                elif "closed" in event:
                    self.closed.append(event["closed"])
                else:
                    self.received.append(Shown(**event | {"actions": tuple(event["actions"])}))
                self._change.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


# The daemon's own process


def _say(event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class _Service:
    """Answers the calls of the notification specification."""

    def __init__(self, send: Callable[[Message], object], capabilities: list[str], manner: Manner) -> None:
        self._send = send
        self._capabilities = capabilities
        self._manner = manner
        self._count = 0

    def handle(self, call: Message) -> Message | bool | None:
        """Answer ``call``; ``True`` = taken, without an answer."""
        from dbus_fast.constants import MessageType
        from dbus_fast.message import Message

        if call.message_type is not MessageType.METHOD_CALL or call.path != OBJECT:
            return None
        if call.member == "Introspect":
            return Message.new_method_return(call, "s", [_INTERFACE])
        if call.interface != NAME:
            return None
        if self._manner == "silent":
            return True
        if self._manner == "garbage":
            return Message.new_method_return(call, "a{sv}", [{}])
        if call.member == "GetCapabilities":
            return Message.new_method_return(call, "as", [self._capabilities])
        if call.member == "GetServerInformation":
            return Message.new_method_return(call, "ssss", ["test daemon", "teamops", "1", "1.2"])
        if call.member == "Notify" and self._manner == "refuses":
            return Message.new_error(call, "org.freedesktop.Notifications.Error.ExcessNotifications", "too many")
        if call.member == "Notify":
            app, replaced, _icon, summary, body, actions, hints, expires = call.body
            self._count += 1
            number = replaced or self._count
            urgency = hints["urgency"].value if "urgency" in hints else -1
            shown = {"number": number, "app": app, "summary": summary, "body": body, "urgency": urgency}
            _say(shown | {"replaces": replaced, "actions": actions, "expires": expires})
            if self._manner == "pressed" and actions:
                self._send(Message.new_signal(OBJECT, NAME, "ActionInvoked", "us", [number, actions[0]]))
            return Message.new_method_return(call, "u", [0 if self._manner == "zero" else number])
        if call.member == "CloseNotification":
            _say({"closed": call.body[0]})
        return Message.new_method_return(call)


async def _serve(address: str, capabilities: list[str], manner: Manner) -> None:
    from dbus_fast.aio import MessageBus
    from dbus_fast.constants import RequestNameReply

    bus: MessageBus = await MessageBus(bus_address=address).connect()
    bus.add_message_handler(_Service(bus.send, capabilities, manner).handle)
    if capabilities != ["stranger"] and await bus.request_name(NAME) is not RequestNameReply.PRIMARY_OWNER:
        raise SystemExit("another daemon owns the name")
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    obeying = asyncio.create_task(_obey(bus, orders))
    _say("ready")
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # untyped in the library
    obeying.cancel()


async def _obey(bus: MessageBus, orders: asyncio.StreamReader) -> None:
    """Send each signal that is ordered."""
    from dbus_fast.message import Message

    while line := await orders.readline():
        order = json.loads(line)
        bus.send(Message.new_signal(OBJECT, NAME, order["signal"], order["signature"], order["body"]))


def main() -> None:
    """Serve until the bus ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--capabilities", default="body")
    parser.add_argument("--manner", choices=get_args(Manner), default="well")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.address, options.capabilities.split(","), options.manner))
    except (EOFError, ConnectionError):
        sys.exit(0)  # the bus ended


if __name__ == "__main__":
    main()
