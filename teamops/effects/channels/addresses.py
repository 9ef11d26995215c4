"""Apprise's addresses: where they are kept, and what of one may be shown. Each of them is a secret."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from teamops.config.channels import RemoteSettings
from teamops.model.errors import TeamopsError

MOST = 32
_READ = 1 << 16
_SERVERS = frozenset(
    {
        "apprise",
        "apprises",
        "form",
        "forms",
        "gotify",
        "gotifys",
        "json",
        "jsons",
        "mailto",
        "mailtos",
        "mmost",
        "mmosts",
    }
    | {"mqtt", "mqtts", "nctalk", "nctalks", "rocket", "rockets", "xml", "xmls"}
)
"""Schemes whose host is a server. In most others a token stands in its place."""
_HOST = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def addresses(settings: RemoteSettings, env: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the addresses that pages go to, each once. Raises ``TeamopsError``, which quotes none."""
    found = list(settings.urls)
    if settings.urls_env:
        told = env.get(settings.urls_env, "").replace(",", " ").split()
        if not told:
            raise TeamopsError(
                f"the variable {settings.urls_env} holds no address",
                "export it where teamops is started, or keep the addresses in a file (notify.remote.urls_file)",
            )
        found += told
    if settings.urls_file is not None:
        found += _in_file(settings.urls_file)
    found = list(dict.fromkeys(found))
    for place, url in enumerate(found, 1):
        if not _ADDRESS.fullmatch(url):
            raise TeamopsError(f"address {place} of {len(found)} is none", "it begins with a scheme, as ntfy://TOPIC")
    if not found or len(found) > MOST:
        what = "there is no address" if not found else f"there are {len(found)} addresses, and {MOST} at most"
        raise TeamopsError(f"{what} in [notify.remote]", "write addresses there; docs/notifications.md shows some")
    return tuple(found)


def _in_file(path: Path) -> list[str]:
    try:
        # Not waiting: a pipe that nobody writes to is no file either.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            facts = os.fstat(file)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > _READ:
                raise TeamopsError(
                    f"{path} is no file of addresses", "one a line; lines that begin with # are left out"
                )
            if facts.st_mode & 0o077 or facts.st_uid not in {os.geteuid(), 0}:
                raise TeamopsError(f"{path} is not yours alone", f"it holds secrets: chmod 600 {path}")
            text = os.read(file, _READ).decode("utf-8-sig")
        finally:
            os.close(file)
    except OSError as error:
        raise TeamopsError(f"{path} can't be read: {error.strerror}", "see notify.remote.urls_file") from error
    except UnicodeDecodeError:  # its own words would hold the address
        raise TeamopsError(f"{path} is not written in UTF-8", "write other letters as %XX, and save it again") from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def shown(url: str) -> str:
    """Return what may be shown of ``url``: its scheme, and its host where that is a server and no token."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "an address"
    scheme = parts.scheme.lower()
    named = scheme in _SERVERS or (scheme in {"ntfy", "ntfys"} and len(parts.path) > 1)
    return f"{scheme}://{host}" if named and _HOST.fullmatch(host) else scheme
