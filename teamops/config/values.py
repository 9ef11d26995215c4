"""Values of teamops.toml as TOML gives them → as they are used, or refused in words."""

from __future__ import annotations

import math
import re
import shlex
from decimal import Decimal

from teamops.config.settings import CLIENTS, REPORT_FORMATS, AuditMode, SandboxMode
from teamops.domain.alert_rules import RULES
from teamops.domain.limits import RestartWhen, SpikeStop
from teamops.domain.paging import Quiet
from teamops.model.role import HUMAN, NONE
from teamops.model.text import clean_line

TIERS = (1, 2, 3)
SHORTEST = 0.001
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])I?)?B?")
_ROLE = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TMUX_NO_START = "$@%=+-!{~"
"""A tmux target that begins so means an id, an offset or an exact match, not a session of that name."""


class Wrong(Exception):  # noqa: N818 - it is the word for a value, not for a failure of the program
    """A value can't be used. Its text follows the key's name: "is …"."""


def shown(value: object) -> str:
    """Return a value as a refusal names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return clean_line(f'"{value}"' if isinstance(value, str) else str(value), 60)


def text(value: object) -> str:
    """Read a text that is not empty and holds no control character."""
    if not isinstance(value, str):
        raise Wrong(f"is a text, not {shown(value)}")
    if not value.strip():
        raise Wrong("is empty")
    if clean_line(value) != " ".join(value.split()) or "\n" in value:
        raise Wrong("holds characters that can't be shown")
    return value.strip()


def path(value: object) -> str:
    """Read the path of a file or folder."""
    if isinstance(value, str) and "\0" in value:
        raise Wrong("holds a NUL character")
    return text(value)


def url(value: object) -> str:
    """Read the address of a web page. What it says is never shown: such an address is a secret."""
    from urllib.parse import urlsplit

    told = text(value)
    try:
        parts = urlsplit(told)
        port = parts.port
    except ValueError:
        raise Wrong("is no address") from None
    if parts.scheme not in {"http", "https"}:
        raise Wrong("begins with https:// or http://")
    if not parts.hostname or port == 0 or any(letter.isspace() for letter in told) or not told.isascii():
        raise Wrong("is an address without spaces and signs beyond ASCII, with a host")
    if parts.query or parts.fragment:
        raise Wrong('has no "?" and no "#": /start and /fail are added to it')
    return told.rstrip("/")


def switch(value: object) -> bool:
    """Read a truth value."""
    if not isinstance(value, bool):
        raise Wrong(f"is true or false, not {shown(value)}")
    return value


def seconds(value: object) -> float:
    """Read a duration: seconds as a number, or a text such as "13m", "1h30m", "90s"."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Wrong(f'is a duration (a number of seconds, or a text such as "13m"), not {shown(value)}')
    if isinstance(value, str):
        compact = value.replace(" ", "")
        found = _DURATION.fullmatch(compact)
        if not compact or found is None:
            raise Wrong(f'is a duration such as "13m", "1h30m" or "90s", not {shown(value)}')
        hours, minutes, rest = (float(part or 0) for part in found.groups())
        amount = hours * 3600 + minutes * 60 + rest
    else:
        amount = _real(value)
    if not math.isfinite(amount):
        raise Wrong(f"is a finite duration, not {shown(value)}")
    if amount < SHORTEST:
        raise Wrong(f"is longer than zero, not {shown(value)}")
    return amount


def _real(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def count(value: object) -> int:
    """Read a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"is a whole number, not {shown(value)}")
    if not 1 <= value <= 1_000_000:
        raise Wrong(f"is at least 1, not {shown(value)}" if value < 1 else "is at most 1000000")
    return value


def size(value: object) -> int:
    """Read an amount of memory: bytes as a number, or a text such as "4GB", "512 MiB"; units are of 1024."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Wrong(f'is a size (bytes, or a text such as "4GB"), not {shown(value)}')
    found = _SIZE.fullmatch(str(value).strip().upper())
    if found is None:
        raise Wrong(f'is a size such as "512MB" or "4GB", not {shown(value)}')
    amount = int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " "))
    if not 1 << 20 <= amount <= 1 << 50:
        raise Wrong(f"is at least 1 MB, not {shown(value)}" if amount < 1 << 20 else "is at most 1024 TB")
    return amount


def restart_when(value: object) -> RestartWhen:
    """Read what is restarted by rule."""
    try:
        return RestartWhen(value)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except ValueError:
        raise Wrong(f"is one of {', '.join(RestartWhen)}; not {shown(value)}") from None


def tokens(value: object) -> int:
    """Read a number of tokens."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"is a whole number of tokens, not {shown(value)}")
    if not 1 <= value <= 10**9:
        raise Wrong(f"is at least 1, not {shown(value)}" if value < 1 else "is at most 1000000000")
    return value


def factor(value: object) -> float:
    """Read how many times something is more than usual."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong(f"is a number, not {shown(value)}")
    amount = _real(value)
    if not 1 < amount <= 1000:
        raise Wrong(f"is more than 1 and at most 1000, not {shown(value)}")
    return amount


def dollars(value: object) -> Decimal:
    """Read an amount of money in USD."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong(f"is a number of dollars, not {shown(value)}")
    if not 0 < _real(value) <= 1_000_000:
        raise Wrong(f"is more than 0 and at most 1000000, not {shown(value)}")
    return Decimal(str(value))


def percent(value: object) -> int:
    """Read a part of a whole in percent."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"is a whole number, not {shown(value)}")
    if not 1 <= value <= 100:
        raise Wrong(f"is between 1 and 100, not {shown(value)}")
    return value


def timezone(value: object) -> str:
    """Read the IANA name of a timezone."""
    name = text(value)
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, KeyError):  # no such zone; a folder of zones; no name of a file at all
        from teamops.config.problems import nearest

        found = nearest(name, sorted(available_timezones()))
        hint = f'did you mean "{found}"?' if found else 'such as "Europe/Berlin" or "UTC"'
        raise Wrong(f"is the IANA name of a timezone, not {shown(value)} ({hint})") from None


def spike_stop(value: object) -> SpikeStop:
    """Read whether an agent that runs away is stopped."""
    try:
        return SpikeStop(value)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except ValueError:
        raise Wrong(f"is one of {', '.join(SpikeStop)}; not {shown(value)}") from None


def sandbox_mode(value: object) -> SandboxMode:
    """Read whether the kernel holds the agents' boundaries."""
    try:
        return SandboxMode(value)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except ValueError:
        raise Wrong(f"is one of {', '.join(SandboxMode)}; not {shown(value)}") from None


def audit_mode(value: object) -> AuditMode:
    """Read what is done about a change past a boundary."""
    try:
        return AuditMode(value)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except ValueError:
        raise Wrong(f"is one of {', '.join(AuditMode)}; not {shown(value)}") from None


def report_formats(value: object) -> tuple[str, ...]:
    """Read a list of the forms in which a report is written."""
    if not isinstance(value, list) or not value or any(one not in REPORT_FORMATS for one in value):
        raise Wrong(f"is a list of one or more of {', '.join(REPORT_FORMATS)}; not {shown(value)}")
    return tuple(dict.fromkeys(value))


def paths(value: object) -> tuple[str, ...]:
    """Read a list of paths."""
    if not isinstance(value, list):
        raise Wrong(f"is a list of paths, not {shown(value)}")
    return tuple(path(each) for each in value)


def client(value: object) -> str:
    """Read one of CLIENTS."""
    if value in CLIENTS and isinstance(value, str):
        return value
    hint = ""
    if isinstance(value, str):
        from teamops.config.problems import nearest

        found = nearest(value, list(CLIENTS))
        hint = f' (did you mean "{found}"?)' if found else ""
    raise Wrong(f"is one of {', '.join(CLIENTS)}; not {shown(value)}{hint}")


_QUIET = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


def quiet(value: object) -> Quiet:
    """Read the quiet hours of each day: "22:00-07:00"."""
    found = _QUIET.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f'is a span of the day such as "22:00-07:00", not {shown(value)}')
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    hours = Quiet(first_hour * 60 + first_minute, last_hour * 60 + last_minute)
    if hours.start == hours.end:
        raise Wrong(
            "begins and ends at the same minute; to be called only by what is critical, all day, say 00:00-23:59"
        )
    return hours


def alert_code(value: object) -> str:
    """Read the code of an alert."""
    code = text(value)
    if code in RULES:
        return code
    from teamops.config.problems import nearest

    near = nearest(code, list(RULES))
    hint = f'did you mean "{near}"?' if near else "see docs/alerts.md"
    raise Wrong(f"alerts.{shown(code)[1:-1]} is no alert ({hint})")


def command(value: object) -> tuple[str, ...]:
    """Read a program and its arguments: a text split as a shell would, or a list. No shell ever runs it."""
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise Wrong(f"can't be split into words: {str(error).lower()}") from error
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = value
    else:
        raise Wrong(f"is a text or a list of texts, not {shown(value)}")
    if not words or not words[0]:
        raise Wrong("is empty")
    if any("\0" in word for word in words):
        raise Wrong("holds a NUL character")
    return tuple(words)


def variables(value: object) -> dict[str, str]:
    """Read environment variables."""
    if not isinstance(value, dict):
        raise Wrong(f"is a table of texts, not {shown(value)}")
    for name, content in value.items():
        if not VARIABLE.fullmatch(name):
            raise Wrong(f"can't hold {shown(name)}: no name of an environment variable")
        if not isinstance(content, str):
            raise Wrong(f'holds texts; {name} is {shown(content)} (write {name} = "…")')
        if "\0" in content:
            raise Wrong(f"holds a NUL character in {name}")
    return dict(value)


def globs(value: object) -> tuple[str, ...]:
    """Read a list of globs or patterns, which may be empty."""
    if not isinstance(value, list) or not all(isinstance(glob, str) for glob in value):
        raise Wrong(f'is a list such as ["/docs/", "*.md"], not {shown(value)}')
    read = tuple(text(glob) for glob in value)
    for glob in read:
        if ".." in glob.split("/"):
            raise Wrong(f"stays inside the project, and {shown(glob)} doesn't")
        from teamops.domain.globs import rows

        try:
            rows((glob,))
        except ValueError:
            raise Wrong(f"has a glob that git would not take: {shown(glob)}") from None
    return read


def lines(value: object) -> int:
    """Read a number of lines, which may be none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"is a whole number of lines, not {shown(value)}")
    if not 0 <= value <= 1_000_000:
        raise Wrong(f"is between 0 and 1000000, not {shown(value)}")
    return value


def together(value: object) -> dict[str, tuple[str, ...]]:
    """Read which globs change together: glob = [glob, …]."""
    if not isinstance(value, dict):
        raise Wrong(f'is a table such as "/src/" = ["/tests/", "/docs/"], not {shown(value)}')
    read: dict[str, tuple[str, ...]] = {}
    for name, content in value.items():
        globs = [content] if isinstance(content, str) else content
        if not isinstance(globs, list) or not globs or not all(isinstance(glob, str) for glob in globs):
            raise Wrong(f"holds a glob or a list of globs for each glob; {shown(name)} has {shown(content)}")
        read[text(name)] = tuple(text(glob) for glob in globs)
    return read


def socket_name(value: object) -> str:
    """Read the name of a tmux server (tmux -L)."""
    name = text(value)
    if "/" in name:
        raise Wrong('is a name without "/" (a path goes to socket_path)')
    return name


def session(value: object) -> str:
    """Read the template of a session's name."""
    template = text(value)
    for name in _PLACEHOLDER.findall(template):
        if name not in ("project", "role"):
            raise Wrong(f"knows {{project}} and {{role}}, not {shown('{' + name + '}')[1:-1]}")
    if "#" in template:
        raise Wrong('holds "#", which tmux would run as a format')
    if template[0] in _TMUX_NO_START and not template.startswith(("{project}", "{role}")):
        raise Wrong(f'begins with "{template[0]}", which tmux takes for something else than a name')
    return template


def price(value: object) -> Decimal:
    """Read US dollars per million tokens, or a factor: a number, or a text such as "0.125"."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Wrong(f"is a number, not {shown(value)}")
    try:
        amount = Decimal(str(value).strip())
    except ArithmeticError:
        raise Wrong(f"is a number, not {shown(value)}") from None
    if not amount.is_finite() or not 0 <= amount <= 1_000_000:
        raise Wrong(f"is between 0 and 1000000, not {shown(value)}")
    return amount


def role_name(name: str) -> str:
    """Read the name of a role: the key of its table."""
    role = name.strip().upper()
    if role in (HUMAN, NONE):
        what = "the person" if role == HUMAN else "a closed task"
        raise Wrong(f"{role} stands for {what} and is no agent")
    if not _ROLE.fullmatch(role):
        raise Wrong(f"{shown(name)} is no name of a role (letters, digits, _ and -, a letter first)")
    return role


def tier_name(name: str) -> int:
    """Read the number of a tier: the key of its table."""
    if name not in {str(tier) for tier in TIERS}:
        raise Wrong(f"{shown(name)} is no tier (tiers are 1, 2 and 3)")
    return int(name)
