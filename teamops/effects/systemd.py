"""The service manager is told how teamops fares: systemd's notification protocol (sd_notify), by a socket of its own.

``WATCHDOG=1`` goes out with a round that the supervisor's loop went through, and by no timer: a loop that hangs misses
it, and systemd starts teamops again.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

from teamops.model.text import clean_line

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_MOST_STATUS = 200


class Systemd:
    """What ``NOTIFY_SOCKET`` leads to; where there is none, nothing is told and nothing is wrong.

    The variables are taken out of ``env``: agents and the tmux server are started with what is left of it.
    """

    def __init__(self, env: MutableMapping[str, str] = os.environ) -> None:
        told = {name: env.pop(name, "") for name in _VARIABLES}
        self._address = told["NOTIFY_SOCKET"]
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        mine = told["WATCHDOG_PID"] in {"", str(os.getpid())}
        self._beats = mine and told["WATCHDOG_USEC"].isdecimal() and int(told["WATCHDOG_USEC"]) > 0
        self._ready = False
        self._status = ""
        self.trouble = ""
        """Why the last word did not arrive; empty = it did."""

    @property
    def there(self) -> bool:
        """Somebody listens."""
        return bool(self._address)

    def see_round(self, status: str, *, ready: bool) -> None:
        """The loop went round. ``status``: a few words for ``systemctl status``; ``ready``: all is up."""
        words = []
        if ready and not self._ready:
            self._ready = True
            words.append("READY=1")
        if self._beats:
            words.append("WATCHDOG=1")
        status = clean_line(status, _MOST_STATUS)
        if status != self._status:
            self._status = status
            words.append(f"STATUS={status}")
        self._send(words)

    def stopping(self) -> None:
        """It ends now, as it was asked to."""
        self._send(["STOPPING=1"])

    def _send(self, words: list[str]) -> None:
        if not self._address or not words:
            return
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)) as sock:
                sock.settimeout(0)
                sock.sendto("\n".join(words).encode(), self._address)
            self.trouble = ""
        except (OSError, ValueError) as error:
            self.trouble = f"the service manager can't be told: {getattr(error, 'strerror', None) or error}"
