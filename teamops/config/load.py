"""teamops.toml → frozen settings."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from teamops.config import (
    boundary_rule,
    budget_rule,
    channels,
    guarding,
    ledger,
    paging_rule,
    profiles,
    report,
    sandbox,
    schema,
    spike_rule,
    values,
)  # fmt: skip
from teamops.config.prices import own_prices
from teamops.config.problems import ConfigError, ConfigProblem, NotText, dotted, nearest, shown_path, text_of
from teamops.config.settings import (
    GateSettings,
    NotifySettings,
    ProfileFile,
    RoleSettings,
    Settings,
    TmuxSettings,
    client_of,
)
from teamops.domain.limits import Limits, RestartPolicy, RestartWhen, SpikeRule
from teamops.model.errors import UsageError
from teamops.model.handoff import Severity
from teamops.model.role import AGENT_ROLES, Role
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.places import Places

FILE = "teamops.toml"
HANDOFF = "current.md"
SESSION = "{project}-{role}"
SOCKET_LIMIT = 107
"""Bytes in the path of a Unix socket, less the closing NUL (Linux 108, macOS 104)."""

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_NO_SESSION_CHARACTER = re.compile(r"[^\w-]")

KeyPath = tuple[str, ...]


class Checked(Struct, frozen=True):
    """A configuration that was read to its end, with all that is to be said about it."""

    settings: Settings | None
    """``None`` when it is refused."""
    problems: tuple[ConfigProblem, ...]


def load(root: Path, *, env: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the project in the folder ``root``.

    Without a teamops.toml: the defaults, watch only. Raises ``ConfigError`` with every problem at once, each with its
    file, line and column; ``UsageError`` where the file can't be read.
    """
    checked = check(root, env=env)
    errors = tuple(problem for problem in checked.problems if problem.severity is Severity.ERROR)
    if checked.settings is None or errors:
        raise ConfigError(errors)
    return checked.settings


def check(root: Path, *, env: Mapping[str, str] = os.environ, thorough: bool = False) -> Checked:
    """Read the configuration of ``root`` and return it with its errors and warnings.

    ``thorough`` also looks for what is missing around it: agents' programs, the handoff file. Raises ``UsageError``
    where the file can't be read at all.
    """
    root = Path(root).resolve()
    if not root.is_dir():
        raise UsageError(f"{root} is no folder", "name the project's folder with -C")
    source = root / FILE
    try:
        raw = source.read_bytes()
    except FileNotFoundError:
        return Checked(_Reading(root, None, "", {}, env).settings(), ())
    except OSError as error:
        raise UsageError(f"{source} can't be read: {error.strerror}", "it must be a readable file") from error
    try:
        text = text_of(raw)
    except NotText as error:
        return _refused(source, error.line, error.column, "is not UTF-8 from here on: save the file as UTF-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        line, column = text.count("\n") + 1, 1
        if place is not None:
            message = message[: place.start()]
            if place[1]:
                line, column = int(place[1]), int(place[2])
        return _refused(source, line, column, f"not TOML: {clean_line(message[:1].lower() + message[1:])}")
    except RecursionError:
        return _refused(source, 1, 1, "is nested too deeply")
    reading = _Reading(root, source, text, document, env)
    settings = reading.settings()
    if thorough:
        reading.look_around(settings)
    problems = tuple(sorted(reading.problems, key=lambda p: (p.path != source, p.shown, p.line, p.column)))
    refused = any(problem.severity is Severity.ERROR for problem in problems)
    return Checked(None if refused else settings, problems)


def _refused(source: Path, line: int, column: int, message: str) -> Checked:
    return Checked(None, (ConfigProblem(path=source, shown=FILE, line=line, column=column, message=message),))


class _Reading:
    """One reading of one document. Goes on after a problem, with the default in place of what is wrong."""

    def __init__(
        self, root: Path, source: Path | None, text: str, document: dict[str, object], env: Mapping[str, str]
    ) -> None:
        self._root = root
        self._source = source
        self._text = text
        self._document = document
        self._env = env
        self._places: Places | None = None
        self._values: dict[KeyPath, object] = {}
        self.problems: list[ConfigProblem] = []

    def settings(self) -> Settings:
        """Return the settings; only good when ``problems`` holds no error."""
        self._walk(schema.TREE, self._document, ())
        project = self._text_at("project", default=self._root.name or "project")
        handoff = self._resolved(self._values.get(("handoff",), HANDOFF))
        if handoff.is_dir():
            self._say(("handoff",), f"handoff is a file, and {shown_path(handoff, self._root)} is a folder")
        return Settings(
            root=self._root,
            project=project,
            handoff=handoff,
            roles=self._roles(project),
            tmux=self._tmux(),
            limits=self._limits(),
            restart=RestartPolicy(**self._table("restart")),
            prices=own_prices(self._values, lambda at, what: self._say(at, f"{dotted(at)} {what}", at_key=True)),
            spike=self._spike(("spike",), SpikeRule()),
            budget=budget_rule.read(self._values, ("budget",)),
            timezone=self._text_at("budget", "timezone", default=""),
            stop_grace_s=self._number_at("stop", "grace_s", default=30.0),
            notify=self._notify(),
            paging=paging_rule.policy(self._table("notify"), self._say),
            alert_rules=paging_rule.rules(self._values),
            gates=GateSettings(**self._table("gates")),
            report=report.read(self._values, self._resolved),
            sandbox=sandbox.read(self._values, self._resolved),
            retention=ledger.read(self._values, self._say),
            watchdog_url=self._text_at("watchdog", "url", default=""),
            guard=guarding.read(self._values),
            auto_poke=self._values.get(("poke", "auto")) is not False,
            source=self._source,
        )

    def look_around(self, settings: Settings) -> None:
        """Warn of what a sound configuration names and this machine lacks, and of what is unwise."""
        from teamops.config import around

        for at, what in around.remarks(settings, self._values, self._env, self._resolved):
            self._say(at, what, Severity.WARNING)

    # What stands in the document

    def _walk(self, tree: schema.Tree, table: dict[str, object], path: KeyPath) -> None:
        free = schema.NAMES.get(path)
        folded: dict[object, str] = {}
        for name, value in table.items():
            here = (*path, name)
            if free is not None:
                try:
                    meant = free(name)
                except values.Wrong as error:
                    self._say(here, str(error), at_key=True)
                    continue
                if meant in folded:
                    self._say(here, f"{values.shown(name)} and {values.shown(folded[meant])} are the same", at_key=True)
                    continue
                folded[meant] = name
            node = tree.get("*" if free is not None else name)
            if node is None:
                self._unknown(tree, here)
            elif isinstance(node, schema.Key):
                self._read(node, here, value)
            elif isinstance(value, dict):
                self._values[here] = value
                self._walk(node, value, here)
            else:
                self._say(here, f"{dotted(here)} is a table, not {values.shown(value)}")

    def _read(self, key: schema.Key, here: KeyPath, value: object) -> None:
        try:
            self._values[here] = key.read(value)
        except values.Wrong as error:
            self._say(here, f"{dotted(here)} {error}")

    def _unknown(self, tree: schema.Tree, here: KeyPath) -> None:
        name = here[-1]
        where = f" in [{dotted(here[:-1])}]" if here[:-1] else ""
        found = nearest(name, list(tree))
        if found is not None:
            hint = f' (did you mean "{found}"?)'
        elif tables := schema.tables_with(name):
            hint = f" (it belongs in [{tables[0]}])" if tables[0] else " (it belongs at the top of the file)"
        else:
            hint = f" (known: {', '.join(tree)})"
        self._say(here, f'unknown key "{clean_line(name, 60)}"{where}{hint}', at_key=True)

    # What it means

    def _limits(self) -> Limits:
        waiting_by_tier: dict[int, float] = {}
        stale_by_tier: dict[int, float] = {}
        single: dict[str, object] = {}
        for path, value in self._values.items():
            if path[0] != "limits" or isinstance(value, dict):
                continue
            if path[1] == "tier" and isinstance(value, float):
                (waiting_by_tier if path[3] == "waiting_s" else stale_by_tier)[int(path[2])] = value
            else:
                single[path[1]] = value
        limits = Limits(
            **single,  # type: ignore[arg-type]  # the schema gives each its type; a test compares it with Limits
            waiting_by_tier=MappingProxyType(waiting_by_tier),
            stale_by_tier=MappingProxyType(stale_by_tier),
        )
        self._compare("limits.waiting_s", limits.waiting_s, limits.stale_s, ("limits",), "")
        for tier in sorted({*waiting_by_tier, *stale_by_tier}):
            path = ("limits", "tier", str(tier))
            self._compare(
                dotted((*path, "waiting_s")),
                limits.waiting_for(tier),
                limits.stale_for(tier),
                path,
                f" of tier {tier}",
            )
        return limits

    def _compare(self, name: str, waiting: float, stale: float, table: KeyPath, whose: str) -> None:
        if waiting > stale:
            written = next((key for key in ("waiting_s", "stale_s") if (*table, key) in self._values), "")
            self._say(
                (*table, written) if written else table,
                f"{name} ({waiting:g} s) is longer than the stale limit{whose} ({stale:g} s): "
                "a light waits before it is stale",
            )

    def _notify(self) -> NotifySettings:
        told = NotifySettings(**channels.read(self._values, self._root, self._resolved))
        for what in channels.conflicts(told.channels, told.remote, told.command):
            self._say(("notify", "channels"), f"notify.channels {what}")
        return told

    def _tmux(self) -> TmuxSettings:
        name, path = ("tmux", "socket_name"), ("tmux", "socket_path")
        socket_path = str(self._resolved(self._values[path])) if path in self._values else ""
        if len(os.fsencode(socket_path)) > SOCKET_LIMIT:
            self._say(path, f"tmux.socket_path is longer than {SOCKET_LIMIT} bytes, the most a socket's path can have")
        if name in self._values and path in self._values:
            self._say(name, "tmux.socket_name has no effect beside socket_path", Severity.WARNING, at_key=True)
        return TmuxSettings(socket_name=self._text_at("tmux", "socket_name", default=""), socket_path=socket_path)

    def _roles(self, project: str) -> tuple[RoleSettings, ...]:
        table = self._document.get("roles")
        settings: list[RoleSettings] = []
        sessions: dict[str, Role] = {}
        for written in table if isinstance(table, dict) else ():
            path = ("roles", written)
            if path not in self._values:
                continue  # refused already
            role = self._role(path, Role(str(written).strip().upper()), project)
            if role.session in sessions:
                self._say(
                    (*path, "session"),
                    f'{sessions[role.session]} and {role.role} would share the tmux session "{role.session}"',
                )
            sessions.setdefault(role.session, role.role)
            settings.append(role)
        return tuple(settings)

    def _role(self, path: KeyPath, role: Role, project: str) -> RoleSettings:
        profile, command = self._profile(path, role), self._values.get((*path, "command"), ())
        client = self._values.get((*path, "client"))
        cwd = self._resolved(self._values.get((*path, "cwd"), "."))
        if not cwd.is_dir():
            self._say((*path, "cwd"), f"{dotted((*path, 'cwd'))}: there is no folder {cwd}", Severity.WARNING)
        env = self._values.get((*path, "env"), {})
        words = command if isinstance(command, tuple) else ()
        when = self._values.get((*path, "restart"))
        return RoleSettings(
            role=role,
            name=self._text_at(*path, "name", default=profile.name if profile else role.capitalize()),
            profile=profile,
            session=self._session(path, role, project),
            client=client if isinstance(client, str) else client_of(words),
            command=words,
            cwd=cwd,
            env=MappingProxyType(env if isinstance(env, dict) else {}),
            auto_poke=self._values.get((*path, "auto_poke")) is not False,
            restart=when if isinstance(when, RestartWhen) else None,
            spike=self._spike((*path, "spike"), spike_rule.read(self._values, ("spike",), SpikeRule())),
            budget=budget_rule.read(self._values, (*path, "budget")),
            boundary=boundary_rule.read(self._values, path),
        )

    def _session(self, path: KeyPath, role: Role, project: str) -> str:
        at = (*path, "session") if (*path, "session") in self._values else ("tmux", "session")
        template = self._text_at(*at, default=SESSION)
        filled = template.replace("{role}", role.lower())
        # What a folder is called must not reach tmux as a target's or a format's syntax.
        filled = filled.replace("{project}", _NO_SESSION_CHARACTER.sub("_", project.lower()).lstrip("-") or "project")
        # tmux itself puts "_" for these two, so this is the name the session will have.
        return filled.replace(".", "_").replace(":", "_")

    def _profile(self, path: KeyPath, role: Role) -> ProfileFile | None:
        at = (*path, "profile")
        named = self._values.get(at)
        if isinstance(named, str):
            file = self._resolved(named)
            if not file.is_file():
                self._say(at, f"{dotted(at)}: there is no file {shown_path(file, self._root)}")
                return None
            return self._own(file, role)
        file = self._root / "profiles" / f"{role.lower()}.md"
        if file.is_file():
            return self._own(file, role)
        found = profiles.shipped(role)
        if found is None:
            likely = nearest(role, list(AGENT_ROLES))
            hint = f' (did you mean "{likely}"?)' if likely else ""
            self._say(path, f"{role} has no profile{hint}", Severity.WARNING, at_key=True)
        return found

    def _own(self, file: Path, role: Role) -> ProfileFile:
        """Return a project's own profile: what a person wrote is proved before it is used."""
        found, problems = profiles.own(file, role, self._root)
        self.problems += problems
        return found

    def _table(self, name: str) -> dict[str, Any]:
        """Return the values of one table; the schema gives each its type."""
        return {path[1]: value for path, value in self._values.items() if path[0] == name and len(path) == 2}

    def _spike(self, table: KeyPath, rest: SpikeRule) -> SpikeRule:
        rule = spike_rule.read(self._values, table, rest)
        if wrong := spike_rule.conflict(self._values, table, rule):
            self._say(*wrong)
        return rule

    def _number_at(self, *path: str, default: float) -> float:
        value = self._values.get(path)
        return value if isinstance(value, float) else default

    def _text_at(self, *path: str, default: str) -> str:
        value = self._values.get(path)
        return value if isinstance(value, str) else default

    def _resolved(self, value: object) -> Path:
        """Return a path as meant: ``~`` is the person's home, all else is relative to the project."""
        text = str(value)
        home = self._env.get("HOME", "")
        if home and (text == "~" or text.startswith("~/")):
            text = home + text[1:]
        return Path(os.path.normpath(self._root / text))

    def _say(self, path: KeyPath, message: str, severity: Severity = Severity.ERROR, *, at_key: bool = False) -> None:
        if self._places is None:
            from teamops.config.places import Places

            try:
                self._places = Places(self._text)
            except RecursionError:  # nested deeper than anything that means something here
                self._places = Places("")
        line, column = (self._places.key if at_key else self._places.value)(path)
        source = self._source or self._root / FILE
        self.problems.append(
            ConfigProblem(path=source, shown=FILE, line=line, column=column, message=message, severity=severity)
        )
