"""Every table of the ledger: what is in it, and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kept(StrEnum):
    """How long rows are kept."""

    RAW = "raw"
    """``ledger.raw_days``."""
    MINUTE = "minute"
    """``ledger.minute_days``."""
    FACT = "fact"
    """For ever."""
    STATE = "state"
    """One row per thing, rewritten as it changes: it doesn't grow."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    name: str
    kept: Kept
    wall: str
    """An SQL expression: the moment of a row, Unix seconds; empty = a row has none."""
    doc: str
    """What it holds, and why it is kept so long; for docs/ledger.md."""


TABLES: tuple[Table, ...] = (
    Table(
        "spent",
        Kept.RAW,
        "wall",
        "What each response used. Older than raw: summed up by the minute; older than minutes: by the quarter of an "
        "hour; never across a light's change, nor across models, sessions or agents. So every sum stays exact: "
        "costs per task, handoff, day, hour, agent and model. What was waiting for a price stays single for "
        "`minute_days`, each agent's last 60 cycles for ever.",
    ),
    Table(
        "decision",
        Kept.RAW,
        "wall",
        "What the hooks decided: calls that were allowed are raw; refusals and warnings are facts, the newest 50,000 "
        "of each agent and kind: an agent may write its spool without end.",
    ),
    Table("beat_minute", Kept.MINUTE, "minute * 60.0", "Beats by the minute: for what was lately."),
    Table(
        "usage_minute",
        Kept.MINUTE,
        "minute * 60.0",
        "Tokens and cost by the minute and model: budgets look back 24 hours, screens one.",
    ),
    Table("rss_minute", Kept.MINUTE, "minute * 60.0", "Memory by the minute and process: growth looks back hours."),
    Table(
        "state_edge",
        Kept.MINUTE,
        "wall",
        "Each state of each agent. Each agent's newest stays, and the one it was in when what is kept begins. What "
        "came of it is in alerts and restarts.",
    ),
    Table(
        "unpriced",
        Kept.MINUTE,
        "wall",
        "Responses of a model whose price is not known yet. Later they stay without one.",
    ),
    Table("spent_quarter", Kept.FACT, "quarter * 900.0", "Tokens and cost by quarter of an hour, agent and model."),
    Table("spent_name", Kept.FACT, "", "The names of agents, models, clients and sessions, once each."),
    Table("rates", Kept.FACT, "", "By which price each day was counted."),
    Table("light", Kept.FACT, "wall", "When each light came to whom."),
    Table("block", Kept.FACT, "wall", "Each block as it was handed on: what a later rewrite is held against."),
    Table("tamper", Kept.FACT, "wall", "What was changed after it was handed on."),
    Table("approval", Kept.FACT, "wall", "What a person signed."),
    Table("gate_run", Kept.FACT, "started_wall", "Each run of a gate."),
    Table("announced", Kept.FACT, "wall", "Whom a light was announced to: so it is announced once."),
    Table("forced", Kept.FACT, "wall", "Blocks that were written although the rules refused them."),
    Table("rotation", Kept.FACT, "wall", "When blocks were moved to the archive."),
    Table("alert_edge", Kept.FACT, "wall", "Each change of an alert."),
    Table("page", Kept.FACT, "wall", "Each page: what the person was to be told, and how that ended."),
    Table("page_attempt", Kept.FACT, "wall", "Each try to deliver one, by which channel, and its proof."),
    Table("watched", Kept.FACT, "since_wall", "When a supervisor was at work: at other times nobody looked."),
    Table("action", Kept.FACT, "wall", "What teamops or a person did, and how it ended."),
    Table("delivery", Kept.FACT, "decided_wall", "How far each poke came, and by what proof."),
    Table("restart", Kept.FACT, "wall", "Each restart with its cause and the last screen before it."),
    Table("spike", Kept.FACT, "began_wall", "Each time an agent ran away, with its trace."),
    Table("budget_hold", Kept.FACT, "wall", "Each time a budget held, and who lifted it."),
    Table("budget_limit", Kept.FACT, "wall", "Limits that a person gave for a day."),
    Table("budget_step", Kept.FACT, "wall", "What was done to end an agent's spending."),
    Table("violation", Kept.FACT, "wall", "Each change past a boundary."),
    Table("own_write", Kept.FACT, "wall", "Files that teamops wrote for the person: those are no agent's change."),
    Table("client_session", Kept.FACT, "wall", "Which client session ran for whom: later logs tell what it used."),
    Table(
        "told",
        Kept.FACT,
        "wall",
        "What logs that are rewritten have told, response by response: without it a log would be counted again.",
    ),
    Table("position", Kept.FACT, "", "How far each file was read: without it a file would be counted again."),
    Table("log", Kept.FACT, "wall", "Whose each log is."),
    Table("alert", Kept.STATE, "changed_wall", "Each alert as it is now."),
    Table("keeping", Kept.STATE, "changed_wall", "Restarts, holds and give-ups of each agent as they are now."),
    Table("launch", Kept.STATE, "wall", "The newest process of each agent."),
    Table("last_beat", Kept.STATE, "wall", "Each agent's last beat."),
    Table("usual", Kept.STATE, "wall", "What is usual for each agent."),
    Table("boundary_check", Kept.STATE, "wall", "What each layer of each agent's boundary was last seen to hold."),
    Table("spent_priced", Kept.STATE, "", "How often prices came late."),
    Table("sweep", Kept.STATE, "wall", "When old rows were last cleared away, and how many so far."),
)


def documentation() -> str:
    """Return the table as docs/ledger.md has it."""
    rows = [f"| `{table.name}` | {table.kept} | {table.doc} |" for table in TABLES]
    return "\n".join(["| table | kept as | what, and why |", "|---|---|---|", *rows]) + "\n"
