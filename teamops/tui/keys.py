"""The one registry of what a person can do on the screen.

From it come the bindings, the key bar, the ``?`` help, the command palette and the README's table
(``python -m teamops.tui.keys`` prints that).
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from textual.binding import BindingType


class Where(StrEnum):
    """Where a key works, as a person would say it."""

    TEAM = "on the chosen agent"
    """The agent of the chosen alert or event, in its detail that agent, else the one chosen in the agents pane."""
    PANES = "anywhere"
    HANDOFF = "in the handoff pane"
    ALERTS = "in the alerts pane"
    LISTS = "in every list"
    FINDINGS = "in the findings"
    DIFF = "in the differences of a rewritten block"
    BOUNDARIES = "in the boundaries"
    TASK = "on a task's own screen"
    AGENT = "on an agent's own screen"
    COSTS = "on the cost screen"
    REPORT = "on the report's screen"
    CODES = "in the list of all alerts"
    SIGN_OFF = "in the sign-off window"
    REPLAY = "in a replay"


class Act(Struct, frozen=True, kw_only=True):
    """One thing that can be done, and its keys."""

    id: str
    """Name of the Textual action that does it."""
    keys: tuple[str, ...]
    """As Textual names them; the first is the one that is shown."""
    label: str
    """One or two words for the key bar."""
    help: str
    """A sentence for help, palette and README."""
    where: Where
    dangerous: bool = False
    """Asks before it acts."""
    rank: int = 0
    """Place in the key bar, 1 first; 0 = not in the key bar."""


REGISTRY: tuple[Act, ...] = (
    Act(id="poke", keys=("p",), label="poke", where=Where.TEAM, rank=2,
        help="Type a line into the agent's client: shows the line first, Enter sends it."),
    Act(id="restart", keys=("r",), label="restart", where=Where.TEAM, rank=3, dangerous=True,
        help="Start the agent's command again in its own pane; asks, and only y confirms."),
    Act(id="start_agent", keys=("u",), label="start", where=Where.TEAM,
        help="Start the agent in a session of its own; where it runs already, it is left as it is."),
    Act(id="stop_agent", keys=("s",), label="stop", where=Where.TEAM, dangerous=True,
        help="End the agent in good order and hold it until it is started again; asks, and only y confirms."),
    Act(id="lift", keys=("L",), label="lift", where=Where.TEAM, dangerous=True,
        help="Let a held agent, or the held team, spend again: shows why it is held, asks for today's new limit."),
    Act(id="attach", keys=("a",), label="attach", where=Where.TEAM, rank=4,
        help="Go to the agent's tmux session; the screen is here again when you come back."),
    Act(id="detail", keys=("enter",), label="open", where=Where.LISTS, rank=5,
        help="Open what is chosen: an agent, a block, an alert, or one thing of an agent's memory, in full."),
    Act(id="search", keys=("slash",), label="search", where=Where.PANES, rank=6,
        help="Filter the focused list; in the handoff pane, search the text of all blocks."),
    Act(id="task", keys=("t",), label="task", where=Where.PANES, rank=7,
        help="Open the task of the chosen block or agent: its stages, its blocks, its reviews, what it changed."),
    Act(id="findings", keys=("f",), label="findings", where=Where.PANES, rank=8,
        help="List what is to be mended: the handoff file's problems and the broken rules of the protocol."),
    Act(id="tasks", keys=("T",), label="all tasks", where=Where.PANES,
        help="List all tasks, open ones first, to choose one."),
    Act(id="sign_off", keys=("A",), label="sign off", where=Where.PANES, rank=1, dangerous=True,
        help="Show a task that waits for you with all that was said and proven: sign it off, or send it back."),
    Act(id="costs", keys=("dollar_sign",), label="costs", where=Where.PANES,
        help="Show what the team cost: by agent, model and task, how fast, and where that leads."),
    Act(id="alert_codes", keys=("K",), label="all alerts", where=Where.PANES,
        help="List every alert there is: what it means, what shows it, what to do; at the chosen one's."),
    Act(id="boundaries", keys=("B",), label="boundaries", where=Where.PANES,
        help="List what got past the roles' boundaries, and what the agents' hooks refused."),
    Act(id="day_report", keys=("D",), label="report", where=Where.PANES,
        help="Show the day's report: five answers about each agent, and what the team got done."),
    Act(id="earlier_day", keys=("left_square_bracket", "left"), label="day before", where=Where.REPORT, rank=9,
        help="Show the day before, or the seven days before."),
    Act(id="later_day", keys=("right_square_bracket", "right"), label="day after", where=Where.REPORT, rank=10,
        help="Show the day after."),
    Act(id="period", keys=("w",), label="7 days", where=Where.REPORT, rank=11,
        help="Show seven days at once, or one again."),
    Act(id="span", keys=("w",), label="span", where=Where.COSTS, rank=9,
        help="Show tokens, bars and plot of today, of 7 days, or of 30 days."),
    Act(id="part(5)", keys=("5",), label="all runaways", where=Where.COSTS,
        help="Go to the runaways of all agents; Enter plots the trace of one."),
    Act(id="diff", keys=("d",), label="difference", where=Where.FINDINGS, rank=9,
        help="Show what was changed in a block after it was handed on."),
    Act(id="accept", keys=("x",), label="accept", where=Where.DIFF, rank=1, dangerous=True,
        help="Accept the change: it is no finding any more; asks, and only y confirms."),
    Act(id="let_stand", keys=("x",), label="accept", where=Where.BOUNDARIES, rank=1, dangerous=True,
        help="Accept a change past a boundary: it stands as it is; asks, and only y confirms."),
    Act(id="quarantine", keys=("U",), label="quarantine", where=Where.BOUNDARIES, rank=2, dangerous=True,
        help="Undo a change past a boundary and keep it as a patch; asks, and only y confirms."),
    Act(id="restore", keys=("R",), label="restore", where=Where.BOUNDARIES, rank=3, dangerous=True,
        help="Put a quarantined change back; asks, and only y confirms."),
    Act(id="earlier_task", keys=("left_square_bracket",), label="task before", where=Where.TASK, rank=9,
        help="Show the task before, as all tasks are listed."),
    Act(id="later_task", keys=("right_square_bracket",), label="next task", where=Where.TASK, rank=10,
        help="Show the next task."),
    Act(id="earlier_agent", keys=("left_square_bracket",), label="agent before", where=Where.AGENT, rank=6,
        help="Show the agent before."),
    Act(id="later_agent", keys=("right_square_bracket",), label="next agent", where=Where.AGENT, rank=6,
        help="Show the next agent."),
    Act(id="part(5)", keys=("5",), label="restarts", where=Where.AGENT,
        help="Go to its restarts: each with its cause, how the old process ended, and its outcome."),
    Act(id="part(6)", keys=("6",), label="processes", where=Where.AGENT,
        help="Go to its process tree."),
    Act(id="part(7)", keys=("7",), label="runaways", where=Where.AGENT,
        help="Go to its runaways: how much over its usual, and what each cost."),
    Act(id="approve", keys=("y",), label="sign off", where=Where.SIGN_OFF, rank=1, dangerous=True,
        help="Sign the task off: says what will be written, and asks for the task's name first."),
    Act(id="send_back", keys=("b",), label="send back", where=Where.SIGN_OFF, rank=2, dangerous=True,
        help="Send the task back, with a note that says why."),
    Act(id="play", keys=("space",), label="play", where=Where.REPLAY,
        help="Let the recorded time go by, or pause it; there Space goes down no page, PgDn does."),
    Act(id="earlier", keys=("comma",), label="-1 min", where=Where.REPLAY,
        help="Go back by a minute."),
    Act(id="later", keys=("semicolon",), label="+1 min", where=Where.REPLAY,
        help="Go on by a minute."),
    Act(id="much_earlier", keys=("less_than_sign",), label="-10 min", where=Where.REPLAY,
        help="Go back by ten minutes."),
    Act(id="much_later", keys=("greater_than_sign",), label="+10 min", where=Where.REPLAY,
        help="Go on by ten minutes."),
    Act(id="later_alert", keys=("right_curly_bracket",), label="next alert", where=Where.REPLAY,
        help="Go to the moment at which the next alert fires."),
    Act(id="earlier_alert", keys=("left_curly_bracket",), label="alert before", where=Where.REPLAY,
        help="Go to the moment at which the alert before fired."),
    Act(id="later_mark", keys=("right_parenthesis",), label="next event", where=Where.REPLAY,
        help="Go to the next light, restart or alert."),
    Act(id="earlier_mark", keys=("left_parenthesis",), label="event before", where=Where.REPLAY,
        help="Go to the light, restart or alert before."),
    Act(id="faster", keys=("plus",), label="faster", where=Where.REPLAY,
        help="Let time go by faster: 1, 10, 60 or 600 times."),
    Act(id="slower", keys=("minus",), label="slower", where=Where.REPLAY,
        help="Let time go by slower."),
    Act(id="go_to", keys=("at",), label="go to", where=Where.REPLAY,
        help="Go to a time of the day: asks for it."),
    Act(id="next_hit", keys=("n",), label="next hit", where=Where.LISTS,
        help="Go to the next search hit."),
    Act(id="previous_hit", keys=("N",), label="previous hit", where=Where.LISTS,
        help="Go to the search hit before."),
    Act(id="acknowledge", keys=("x",), label="seen", where=Where.ALERTS, rank=9,
        help="Acknowledge the chosen alert: it stays listed until its cause is gone, but is quiet."),
    Act(id="silence", keys=("m",), label="silence", where=Where.ALERTS, rank=10,
        help="Silence the chosen alert for 15 minutes; again: an hour; again: until its cause is gone; again: not."),
    Act(id="blocks", keys=("b",), label="blocks", where=Where.HANDOFF, rank=10,
        help="Show the list of all blocks, or the chosen block again."),
    Act(id="older", keys=("left_square_bracket", "left"), label="older", where=Where.HANDOFF, rank=11,
        help="Show the block before."),
    Act(id="newer", keys=("right_square_bracket", "right"), label="newer", where=Where.HANDOFF, rank=12,
        help="Show the block after."),
    Act(id="current", keys=("full_stop",), label="current", where=Where.HANDOFF,
        help="Show the current block and follow the file again."),
    Act(id="pane(1)", keys=("1",), label="agents", where=Where.PANES,
        help="Go to the agents; on a task's own screen, to its timeline; on an agent's, to what is known of it; on "
        "the cost screen, to costs by agent."),
    Act(id="pane(2)", keys=("2",), label="handoff", where=Where.PANES,
        help="Go to the handoff; on a task's own screen, to its chain of reviews, gates and sign-offs; on an agent's, "
        "to its last hour; on the cost screen, to costs by model."),
    Act(id="pane(3)", keys=("3",), label="alerts", where=Where.PANES,
        help="Go to the alerts; on a task's own screen, to what it changed; on an agent's, to its live pane; on "
        "the cost screen, to costs by task."),
    Act(id="pane(4)", keys=("4",), label="events", where=Where.PANES,
        help="Go to the events; on an agent's own screen, to its pokes; on the cost screen, to the plot."),
    Act(id="next_pane", keys=("tab",), label="next pane", where=Where.PANES, help="Go to the next pane."),
    Act(id="previous_pane", keys=("shift+tab",), label="pane before", where=Where.PANES, help="Go to the pane before."),
    Act(id="zoom", keys=("z",), label="zoom", where=Where.PANES, rank=13,
        help="Give the focused pane the whole screen, or take it back."),
    Act(id="down", keys=("j", "down"), label="down", where=Where.LISTS, help="Go down one row."),
    Act(id="up", keys=("k", "up"), label="up", where=Where.LISTS, help="Go up one row."),
    Act(id="left", keys=("left",), label="left", where=Where.LISTS, help="Go to the card at the left."),
    Act(id="right", keys=("right",), label="right", where=Where.LISTS, help="Go to the card at the right."),
    Act(id="page_down", keys=("pagedown", "space"), label="page down", where=Where.LISTS, help="Go down one page."),
    Act(id="page_up", keys=("pageup",), label="page up", where=Where.LISTS, help="Go up one page."),
    Act(id="first", keys=("g", "home"), label="first", where=Where.LISTS, help="Go to the first row."),
    Act(id="last", keys=("G", "end"), label="last", where=Where.LISTS, help="Go to the last row."),
    Act(id="palette", keys=("colon", "ctrl+p"), label="palette", where=Where.PANES, rank=14,
        help="Find anything of this list, and every agent, by name."),
    Act(id="help", keys=("question_mark",), label="help", where=Where.PANES, rank=15,
        help="Show these keys and what the symbols mean."),
    Act(id="back", keys=("escape",), label="back", where=Where.PANES,
        help="Leave a search, a zoom or a window."),
    Act(id="leave", keys=("q",), label="quit", where=Where.PANES, rank=16,
        help="Leave the screen. The agents keep running."),
)  # fmt: skip

_SHOWN = {
    "dollar_sign": "$",
    "slash": "/", "question_mark": "?", "colon": ":", "enter": "Enter", "escape": "Esc", "tab": "Tab",
    "shift+tab": "Shift+Tab", "space": "Space", "up": "↑", "down": "↓", "left": "←", "right": "→",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "ctrl+p": "Ctrl+P",
    "left_square_bracket": "[", "right_square_bracket": "]",
    "full_stop": ".", "comma": ",", "semicolon": ";", "less_than_sign": "<", "greater_than_sign": ">",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "left_parenthesis": "(", "right_parenthesis": ")",
    "plus": "+", "minus": "-", "at": "@",
}  # fmt: skip


def shown(key: str) -> str:
    """Return a key as it is written on a keyboard."""
    return _SHOWN.get(key, key)


def act(act_id: str) -> Act:
    """Return the act of that id; ``KeyError`` where there is none."""
    for entry in REGISTRY:
        if entry.id == act_id:
            return entry
    raise KeyError(act_id)


def bindings(*wheres: Where, only: tuple[str, ...] = ()) -> list[BindingType]:
    """Return Textual bindings of the acts that work in ``wheres``, or of those named in ``only``."""
    from textual.binding import Binding

    return [
        Binding(key, entry.id, entry.label, show=False)
        for entry in REGISTRY
        if (entry.where in wheres or entry.id in only)
        for key in entry.keys
    ]


def key_bar(wheres: tuple[Where, ...]) -> list[Act]:
    """Return the acts the key bar shows for a focus where ``wheres`` hold, most wanted first."""
    return sorted((entry for entry in REGISTRY if entry.rank and entry.where in wheres), key=lambda entry: entry.rank)


def markdown_table() -> str:
    """Return the README's table of keys."""
    lines = ["| key | does | where |", "|---|---|---|"]
    for entry in REGISTRY:
        keys = " ".join(f"`{shown(key)}`" for key in entry.keys)
        lines.append(f"| {keys} | {entry.help} | {entry.where} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown_table() + "\n")
