"""The frozen settings of one project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from teamops.config.channels import CommandSettings, RemoteSettings, Signal
from teamops.domain.alert_rules import RULES
from teamops.domain.boundary_rules import NO_TIERS, TierRule
from teamops.domain.budget import BudgetRule, Budgets
from teamops.domain.limits import Limits, RestartPolicy, RestartWhen, Retention, SpikeRule
from teamops.domain.paging import PagingPolicy
from teamops.model.alert import AlertRule
from teamops.model.price import OwnPrice
from teamops.model.role import Role

_NO_ENV: Mapping[str, str] = MappingProxyType({})
_NO_RULES: Mapping[str, object] = MappingProxyType({})

CLIENTS = ("claude", "codex", "gemini", "opencode", "sdk", "command")
"""What runs in an agent's pane. ``sdk``: a program that beats through the SDK; ``command``: anything else."""

CHANNELS = ("desktop", "terminal", "remote", "command")
"""Ways to a person who is away from the screen; ``effects.channels.registry`` makes each."""


class Profile(Struct, frozen=True, kw_only=True):
    """A role's profile: profiles/<role>.md."""

    role: Role
    name: str
    """The persona."""
    title: str
    does: tuple[str, ...]
    never: tuple[str, ...]
    write_allow: tuple[str, ...]
    """gitignore globs, relative to the project."""
    write_deny: tuple[str, ...]
    new_files: bool = True
    """May make files, not only change and delete them."""
    delete: bool = True
    """May delete files."""
    named_files_only: bool = False
    """Is told of a file that it changes and that no block of the task names."""
    net_lines: int | None = None
    """By so many lines it may make a file grow by one call; ``None`` = by any."""
    verdicts: bool = False
    """May write a Verdict."""
    light: bool = True
    """May change things only while it holds the light of a task."""
    commands_allow: tuple[str, ...]
    commands_deny: tuple[str, ...]
    network: str = ""
    """A word about the network, for who reads it."""
    tiers: tuple[int, ...]
    """Tiers in which the role takes turns."""
    tier_rules: Mapping[int, TierRule] = NO_TIERS
    """What it may do beyond the rest, by the tier of its task."""
    body: str
    """The prompt the agent is started with, Markdown."""
    source: Path
    """The file."""


class ProfileFile(Struct, frozen=True, kw_only=True):
    """Where a role's profile is. It is read when it is needed: starting teamops takes only its name."""

    path: Path
    role: Role
    name: str
    """The persona."""

    def read(self) -> Profile:
        """Return the whole profile. Raises ``ConfigError`` where it can't be used."""
        from teamops.config.profiles import read_profile

        return read_profile(self.path, self.role)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSettings:
    """One agent of the team."""

    role: Role
    name: str
    """The persona's name, for the screen."""
    profile: ProfileFile | None
    """``None`` for a role that a team defined without a profile."""
    session: str
    """The tmux session's exact name."""
    client: str
    """One of CLIENTS."""
    command: tuple[str, ...]
    """The agent's program and arguments; empty = teamops can't start it, only restart what runs in its pane."""
    cwd: Path
    env: Mapping[str, str] = field(default_factory=lambda: _NO_ENV)
    auto_poke: bool = True
    """Poked by itself when the light comes to it; off wins here and for the team."""
    restart: RestartWhen | None = None
    """When this role is restarted by rule; ``None`` = as the team."""
    spike: SpikeRule | None = None
    """When this role runs away; ``None`` = as the team."""
    budget: BudgetRule = field(default_factory=BudgetRule)
    """What this role may spend."""
    boundary: Mapping[str, object] = field(default_factory=lambda: _NO_RULES)
    """What stands in place of its profile's boundary: field of `domain.boundary_rules.Policy` → value."""


class TmuxSettings(Struct, frozen=True, kw_only=True):
    """Which tmux server the team lives in."""

    socket_name: str = ""
    """``tmux -L``; empty with an empty path = the person's own default server."""
    socket_path: str = ""
    """``tmux -S``; wins over the name."""


class NotifySettings(Struct, frozen=True, kw_only=True):
    """How the person is told when away."""

    desktop: bool = True
    terminal: bool = True
    """The bell (and title) as fallback where there is no desktop bus."""
    channels: tuple[str, ...] = ()
    """Of CHANNELS, the first to be tried first; empty = all that are on, in that order."""
    signal: Signal = Signal.AUTO
    """What the terminal understands, beside its bell."""
    remote: RemoteSettings = RemoteSettings()
    command: CommandSettings = CommandSettings()

    @property
    def order(self) -> tuple[str, ...]:
        """The channels in the order in which they are tried."""
        switched = {
            "desktop": self.desktop,
            "terminal": self.terminal,
            "remote": self.remote.configured,
            "command": bool(self.command.command),
        }
        return tuple(name for name in self.channels or switched if switched.get(name, True))


_NO_GLOBS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class GateSettings(Struct, frozen=True, kw_only=True):
    """How teamops runs the gates of "done" itself."""

    runs: tuple[str, ...] = ()
    """Program and arguments; exit status 0 passes. Empty: teamops can't run this gate."""
    correct: tuple[str, ...] = ()
    complete: Mapping[str, tuple[str, ...]] = _NO_GLOBS
    """gitignore glob → globs: where a file of the first changed, one of each of the others must have changed too."""
    timeout_s: float = 900.0
    """A gate that takes longer fails."""


REPORT_FORMATS = ("text", "md", "json", "html")


class ReportSettings(Struct, frozen=True, kw_only=True):
    """The report that is written each midnight."""

    daily: bool = True
    folder: str = "reports"
    """Relative to the project's folder, or absolute."""
    formats: tuple[str, ...] = ("md", "json")
    """Of ``REPORT_FORMATS``, one file each."""
    send: bool = False
    """Tell the person, in one line, that it is there."""


class SandboxMode(StrEnum):
    """Whether agents are started in a boundary that the kernel holds."""

    AUTO = "auto"
    """With what the machine has; with nothing, as they are, and said."""
    REQUIRE = "require"
    """Only with all of it."""
    OFF = "off"


class SandboxSettings(Struct, frozen=True, kw_only=True):
    """The boundary that the kernel holds."""

    mode: SandboxMode = SandboxMode.AUTO
    write: tuple[Path, ...] = ()
    """Folders that every agent may write besides: a tool's cache."""
    sockets: tuple[Path, ...] = ()
    """Sockets, or folders of them, that agents may reach all the same: a database's."""


class AuditMode(StrEnum):
    """What is done about a change past a boundary."""

    ALERT = "alert"
    """It is told."""
    QUARANTINE = "quarantine"
    """It is told, kept as a patch and undone, where it is sure enough whose it is."""
    OFF = "off"
    """Work trees are not watched."""


class GuardSettings(Struct, frozen=True, kw_only=True):
    """How strictly the roles' boundaries are kept."""

    strict: bool = False
    """No agent is started whose boundary is broken, or that nothing here can hold."""
    audit: AuditMode = AuditMode.ALERT
    """What is done about a change past a role's boundary."""


_NO_PRICES: Mapping[str, OwnPrice] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything configured for one project."""

    root: Path
    """The project's folder, resolved."""
    project: str
    """Its name."""
    handoff: Path
    """The handoff file."""
    roles: tuple[RoleSettings, ...]
    """The team, in display order; empty = roles are taken from the handoff file."""
    tmux: TmuxSettings = field(default_factory=TmuxSettings)
    limits: Limits = field(default_factory=Limits)
    notify: NotifySettings = field(default_factory=NotifySettings)
    paging: PagingPolicy = field(default_factory=PagingPolicy)
    """When the person is told, and when not."""
    alert_rules: Mapping[str, AlertRule] = field(default_factory=lambda: RULES)
    """What is so of all alerts of a code."""
    gates: GateSettings = field(default_factory=GateSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    auto_poke: bool = True
    """The next agent is poked when the light moves."""
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    prices: Mapping[str, OwnPrice] = field(default_factory=lambda: _NO_PRICES)
    """What models cost, instead of the shipped table, by the name that the client's log gives them."""
    spike: SpikeRule = field(default_factory=SpikeRule)
    budget: BudgetRule = field(default_factory=BudgetRule)
    """What the team may spend."""
    timezone: str = ""
    """IANA name of the zone whose days count for budgets; empty = the system's."""
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    retention: Retention = field(default_factory=Retention)
    """How long the ledger keeps what."""
    watchdog_url: str = field(default="", repr=False)
    """Told each minute that teamops lives, without a slash at its end; a secret. Empty = nobody is told."""
    guard: GuardSettings = field(default_factory=GuardSettings)
    stop_grace_s: float = 30.0
    """So long an agent that is stopped may take to end by itself."""
    source: Path | None = None
    """teamops.toml; ``None`` = there is none: watch only, nothing in tmux is managed."""
    _by_role: Mapping[Role, RoleSettings] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Have each role at hand: every round asks for all of them, several times."""
        object.__setattr__(self, "_by_role", {settings.role: settings for settings in reversed(self.roles)})

    @property
    def watch_only(self) -> bool:
        """No configuration: tmux is left alone."""
        return self.source is None

    @property
    def spool(self) -> Path:
        """The folder below which each role has its own spool folder."""
        return self.root / ".teamops" / "spool"

    def restart_of(self, role: Role) -> RestartPolicy:
        """Return when ``role`` is restarted by rule."""
        own = self.role(role)
        return self.restart if own is None or own.restart is None else replace(self.restart, when=own.restart)

    def spike_of(self, role: Role) -> SpikeRule:
        """Return when ``role`` runs away."""
        own = self.role(role)
        return self.spike if own is None or own.spike is None else own.spike

    @property
    def budgets(self) -> Budgets:
        """All limits on spending."""
        roles = MappingProxyType({str(row.role): row.budget for row in self.roles})
        return Budgets(team=self.budget, roles=roles, timezone=self.timezone)

    def role(self, role: Role) -> RoleSettings | None:
        """Return the settings of ``role``, or ``None``."""
        return self._by_role.get(role)


def client_of(command: tuple[str, ...]) -> str:
    """Return the client that a command starts; the first of CLIENTS where there is no command."""
    if not command:
        return CLIENTS[0]
    program = Path(command[0]).name
    return program if program in CLIENTS[:4] else "command"
