"""A night that a ledger has on record: made by the ledger's own writes, as a supervisor makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from teamops.config.settings import RoleSettings, Settings
from teamops.domain.budget import BudgetRule
from teamops.handoff import parse
from teamops.ledger.audit import NewBlock
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import By, Outcome, Poke, Restart
from teamops.model.agent import Beat
from teamops.model.agent_report import Delivery, RestartRecord
from teamops.model.alert import Alert, AlertState
from teamops.model.boundary import ChangeKind, Decision, Verdict, Violation
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.handoff import Severity
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from tests.unit.supervisor.life import block

DAY = "2026-03-28"
ZONE = ZoneInfo("Europe/Berlin")
TEAM = ((DIRECTOR, "Max"), (CODER, "Kevin"), (REVIEWER, "Sarah"))


def at(clock: str, day: str = DAY) -> float:
    """Return a moment of the night, Unix seconds."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE).timestamp()


@dataclass
class Night:
    """A project with a ledger. ``write`` gives the ledger; nothing is written once it is closed."""

    folder: Path
    settings: Settings = field(init=False)
    path: Path = field(init=False)
    ledger: Ledger = field(init=False)
    _read: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True, parents=True)
        self.path = self.folder / "state" / "ledger.sqlite3"
        self.settings = Settings(
            root=self.folder,
            project="shop",
            handoff=self.folder / "current.md",
            roles=tuple(
                RoleSettings(
                    role=role,
                    name=name,
                    profile=None,
                    session=f"shop-{role.lower()}",
                    client="sdk",
                    command=("cat",),
                    cwd=self.folder,
                )
                for role, name in TEAM
            ),
            source=self.folder / "teamops.toml",
            budget=BudgetRule(day_usd=Decimal(20)),
            timezone="Europe/Berlin",
        )
        self.ledger = open_ledger(self.path)

    def state(self, clock: str, role: Role, state: str, evidence: str = "beat: ok") -> None:
        self.ledger.state_edge(role, state, evidence, at(clock))

    def block(self, clock: str, role: Role, turn: Role, task: str = "login", **more: object) -> str:
        """Record a block that gives the light to ``turn``; return its digest."""
        text = block(role, turn, task=task, **more).rstrip()  # type: ignore[arg-type]  # passed through
        digest = parse(text.encode()).blocks[0].digest
        self.ledger.light_seen(task, digest, turn, at(clock))
        new = NewBlock(digest=digest, role=role, task=task, heading=text.partition("\n")[0], text=text)
        self.ledger.audit.add_blocks([new], at(clock))
        return digest

    def alert(self, clock: str, state: AlertState, since: str, **more: object) -> None:
        values: dict[str, object] = {
            "code": "agent-dead", "subject": "CODER", "severity": Severity.CRITICAL, "agent": CODER,
            "message": "CODER is dead (signal 9)", "do": "look at it", **more,
        }  # fmt: skip
        self.ledger.save_alerts(
            [Alert(state=state, since_wall=at(since), changed_wall=at(clock), **values)]  # type: ignore[arg-type]
        )

    def used(self, clock: str, role: Role, tokens: int, usd: str | None) -> None:
        """Record one response of a client's log."""
        self._read += 1
        usage = Usage(wall=at(clock), model="m", tokens=Tokens(output=tokens), client="claude", session="s")
        cost = None if usd is None else Decimal(usd)
        self.ledger.add_usage(role, [(usage, cost)], Position("log", 1, 1, 0, self._read), at(clock))

    def beat(self, clock: str, role: Role, decision: Decision | None = None) -> None:
        self._read += 1
        beat = Beat(role=role, wall=at(clock), decision=decision)
        stamp = Stamp(at(clock), at(clock))
        self.ledger.add_beats(BeatsSeen(stamp, (beat,), Position("spool", 1, 1, 0, self._read)))

    def restart(self, began: str, ended: str, role: Role) -> None:
        action = Restart(role=role, by=By.RULE, reason="dead")
        row = self.ledger.begin_action(action, at(began))
        self.ledger.keeping.add_restart(
            RestartRecord(
                action_id=row,
                role=role,
                wall=at(began),
                by=By.RULE,
                cause="dead: signal 9",
                ending="signal 9",
                attempt=1,
            )
        )
        self.ledger.finish_action(row, Outcome(ok=True, message="pid 4711"), at(ended))

    def poke(self, decided: str, typed: str, accepted: str, role: Role) -> None:
        row = self.ledger.begin_action(Poke(role=role, text="your turn", by=By.RULE), at(decided))
        self.ledger.deliveries.save(
            Delivery(
                action_id=row,
                role=role,
                text="your turn",
                by=By.RULE,
                light="",
                attempt=0,
                decided_wall=at(decided),
                typed_wall=at(typed),
                accepted_wall=at(accepted),
                working_wall=at(accepted),
                proof="first beat",
                over=True,
            )
        )
        self.ledger.finish_action(row, Outcome(ok=True, message="typed"), at(typed))

    def watched(self, since: str, until: str) -> None:
        self.ledger.watched.mark(None, at(since), at(until))

    def close(self) -> None:
        self.ledger.close()


def a_night(folder: Path) -> Night:
    """Return a night in which the CODER died at 02:13, nobody watched from 02:20 to 03:40, and then it went on."""
    night = Night(folder)
    night.watched("00:30:00", "02:20:00")
    night.watched("03:40:00", "06:00:00")
    night.state("00:30:00", DIRECTOR, "idle", "process: alive, nothing expected")
    night.state("00:30:00", CODER, "idle", "process: alive, nothing expected")
    night.block("01:00:00", DIRECTOR, CODER)
    night.poke("01:00:01", "01:00:02", "01:00:04", CODER)
    night.state("01:00:05", CODER, "working", "beat: ok")
    for minute in range(1, 14):
        night.used(f"02:{minute:02}:10", CODER, 1000, "0.10")
        night.beat(f"02:{minute:02}:30", CODER)
    night.used("02:13:01", CODER, 500, None)
    night.state("02:13:20", CODER, "dead", "process: signal 9 (KILL)")
    night.alert("02:13:22", AlertState.FIRING, "02:13:22")
    night.restart("02:14:00", "02:14:05", CODER)
    night.state("02:14:10", CODER, "working", "beat: ok")
    night.alert("02:14:12", AlertState.RESOLVED, "02:13:22")
    refused = Decision(
        role=CODER, wall=at("02:15:00"), verdict=Verdict.DENY, rule="write.deny", about="docs/x.md", why="not yours"
    )
    night.beat("02:15:00", CODER, refused)
    night.ledger.boundaries.add(
        Violation(
            id=0,
            wall=at("03:45:00"),
            path="docs/a.md",
            change=ChangeKind.CHANGED,
            roles=(CODER,),
            rule="write.deny",
            why="CODER may not change it",
        )
    )  # fmt: skip
    night.block("03:50:00", CODER, DIRECTOR, minute=1)
    night.state("03:50:02", CODER, "idle", "process: alive, nothing expected")
    night.state("03:51:00", DIRECTOR, "working", "transcript: grew")
    night.close()
    return night
