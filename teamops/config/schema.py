"""Every key of teamops.toml: one table that drives reading, refusals, hints and the documentation."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from teamops.config.settings import CLIENTS, SandboxMode
from teamops.domain.limits import RestartWhen, SpikeStop
from teamops.model.role import HUMAN, NONE
from teamops.model.text import clean_line

Path = tuple[str, ...]

TIERS = (1, 2, 3)
SHORTEST = 0.001
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])I?)?B?")
_ROLE = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
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
        if not _VARIABLE.fullmatch(name):
            raise Wrong(f"can't hold {shown(name)}: no name of an environment variable")
        if not isinstance(content, str):
            raise Wrong(f'holds texts; {name} is {shown(content)} (write {name} = "…")')
        if "\0" in content:
            raise Wrong(f"holds a NUL character in {name}")
    return dict(value)


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


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    path: Path
    """From the document's root; ``*`` stands for a role's name or a tier's number."""
    kind: str
    """What it holds, for a person."""
    read: Callable[[object], object]
    """Value as TOML gives it → value as used; raises ``Wrong``."""
    default: str
    """As the documentation says it."""
    doc: str

    @property
    def name(self) -> str:
        """The dotted name, as documented."""
        return ".".join("ROLE" if part == "*" and self.path[0] == "roles" else part for part in self.path).replace(
            "tier.*", "tier.N"
        )


def _key(dotted: str, kind: str, read: Callable[[object], object], default: str, doc: str) -> Key:
    return Key(tuple(dotted.split(".")), kind, read, default, doc)


KEYS: tuple[Key, ...] = (
    _key("project", "text", text, "the folder's name", "The project's name on the screen and in session names."),
    _key("handoff", "path", path, '"current.md"', "The handoff file; relative to the project's folder."),
    _key("tmux.socket_name", "text", socket_name, "none", "The tmux server by name, as in tmux -L."),
    _key("tmux.socket_path", "path", path, "none", "The tmux server by its socket, as in tmux -S; wins over the name."),
    _key(
        "tmux.session",
        "template",
        session,
        '"{project}-{role}"',
        "How the sessions are named; both parts are filled in lower case.",
    ),
    _key("limits.waiting_s", "duration", seconds, '"5m"', "A light without a sign of work is shown as waiting."),
    _key("limits.stale_s", "duration", seconds, '"13m"', "… and is stale: an alert and one notification."),
    _key("limits.tier.*.waiting_s", "duration", seconds, "limits.waiting_s", "The same, for tasks of tier N alone."),
    _key("limits.tier.*.stale_s", "duration", seconds, "limits.stale_s", "The same, for tasks of tier N alone."),
    _key("limits.beat_interval_s", "duration", seconds, '"1m"', "How often an agent that is expected to beat does so."),
    _key("limits.missed_beats", "number", count, "2", "So many missed beats make an agent silent."),
    _key("limits.starting_s", "duration", seconds, '"30s"', "A process younger than this, not heard yet, is starting."),
    _key("limits.evidence_s", "duration", seconds, '"15s"', "Output or transcript growth younger than this is work."),
    _key("limits.zombie_s", "duration", seconds, '"20m"', "Alive, with a light or a cycle, and no work: a zombie."),
    _key("limits.memory_bytes", "size", size, '"4GB"', "An agent's process tree that uses more is worth an alert."),
    _key("limits.memory_ahead_s", "duration", seconds, '"6h"', "… and one that will, as it grows, within so long."),
    _key("limits.accept_s", "duration", seconds, '"10s"', "A typed poke without proof for so long is retried by rule."),
    _key("limits.pokes_per_light", "number", count, "3", "Lines typed by rule about one light, reminders counted."),
    _key("limits.approvals_in_a_row", "number", count, "5", "So many approvals without one challenge: an echo?"),
    _key("poke.auto", "true/false", switch, "true", "Poke the next agent when the light moves."),
    _key(
        "restart.when",
        "one of",
        restart_when,
        '"on-unhealthy"',
        "What is restarted by rule: never, on-death, on-unhealthy.",
    ),
    _key("restart.attempts", "number", count, "2", "Restarts by rule before teamops gives up and calls you."),
    _key("restart.cooldown_s", "duration", seconds, '"5m"', "The least time between two restarts of an agent."),
    _key("restart.reset_s", "duration", seconds, '"10m"', "So much work progress, and the count begins anew."),
    _key("spike.floor", "number", tokens, "5000", "Tokens a minute that are never a spike, one long answer left out."),
    _key("spike.ceiling", "number", tokens, "20000", "Tokens a minute that are one as long as nothing is usual yet."),
    _key("spike.factor", "number", factor, "10", "So many times an agent's usual rate is a spike."),
    _key("spike.tool_factor", "number", factor, "5", "So many times its usual tool calls show as a badge."),
    _key(
        "spike.page_literal", "true/false", switch, "false", "The badges call you, too. Expect dozens of calls a day."
    ),
    _key("spike.stop", "one of", spike_stop, '"off"', "Is an agent that runs away stopped: off, ask, on."),
    _key("stop.grace_s", "duration", seconds, '"30s"', "So long a stopped agent may take to end by itself."),
    _key(
        "sandbox.mode",
        "one of",
        sandbox_mode,
        '"auto"',
        "Does the kernel hold the agents' boundaries: auto (with what is there), require (or no start), off.",
    ),
    _key("sandbox.write", "list of paths", paths, "none", "What every agent may write besides: a tool's cache."),
    _key("sandbox.sockets", "list of paths", paths, "none", "Sockets that agents may reach: a database's."),
    _key("gates.runs", "command", command, "none", "Runs the gate `runs`: exit status 0 passes."),
    _key("gates.correct", "command", command, "none", "Runs the gate `correct`: exit status 0 passes."),
    _key("gates.complete", "table", together, "none", "Where files of a glob changed, files of these must have too."),
    _key("gates.timeout_s", "duration", seconds, '"15m"', "A gate that takes longer fails."),
    _key("notify.desktop", "true/false", switch, "true", "Tell the person by a desktop notification (D-Bus)."),
    _key("notify.terminal", "true/false", switch, "true", "Where that fails, ring the terminal's bell."),
    _key("roles.*.client", "one of", client, "by the command, else claude", "What runs in the pane."),
    _key("roles.*.command", "command", command, "none", "Starts the agent; without it only what ran is restarted."),
    _key("roles.*.session", "template", session, "tmux.session", "The role's session, where it has its own name."),
    _key("roles.*.name", "text", text, "the profile's", "The persona's name on the screen."),
    _key("roles.*.cwd", "path", path, "the project's folder", "The folder the agent starts in, such as a work tree."),
    _key("roles.*.env", "table", variables, "none", "Environment variables the agent starts with."),
    _key("roles.*.auto_poke", "true/false", switch, "poke.auto", "Poke this role when the light comes to it."),
    _key("roles.*.restart", "one of", restart_when, "restart.when", "When this role is restarted by rule."),
    _key("roles.*.spike.floor", "number", tokens, "spike.floor", "The same, for this role alone."),
    _key("roles.*.spike.ceiling", "number", tokens, "spike.ceiling", "The same, for this role alone."),
    _key("roles.*.spike.factor", "number", factor, "spike.factor", "The same, for this role alone."),
    _key("roles.*.spike.stop", "one of", spike_stop, "spike.stop", "The same, for this role alone."),
    _key("roles.*.profile", "path", path, "profiles/<role>.md, else the shipped one", "The role's profile."),
)
"""Every key there is. Adding a row makes it read, checked, hinted at and (by a test) documented."""

Tree = dict[str, "Key | Tree"]


def _tree() -> Tree:
    tree: Tree = {}
    for key in KEYS:
        node = tree
        for part in key.path[:-1]:
            child = node.setdefault(part, {})
            if isinstance(child, Key):
                raise TypeError(key.name)
            node = child
        node[key.path[-1]] = key
    return tree


TREE = _tree()
NAMES: dict[Path, Callable[[str], object]] = {("roles",): role_name, ("limits", "tier"): tier_name}
"""How the names below a table with free names are read."""


def tables_with(name: str) -> list[str]:
    """Return the tables, as documented, that have a key of this name."""
    return [key.name.rpartition(".")[0] for key in KEYS if key.path[-1] == name]


def documentation() -> str:
    """Return the table of keys as docs/configuration.md has it."""
    rows = [f"| `{key.name}` | {key.kind} | {key.default} | {key.doc} |" for key in KEYS]
    return "\n".join(["| key | holds | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
