"""Every alert there is, as data. A new one is one row of RULES; docs/alerts.md and the screen list what stands here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from teamops.domain.boundary_notices import SETTLED_S
from teamops.model.alert import HOUR_S, AlertRule, Finding
from teamops.model.handoff import Severity
from teamops.model.page import Button

ABOUT_AGENT = (Button.ACK, Button.RESTART, Button.POKE, Button.SILENCE_1H)
ABOUT_NOBODY = (Button.ACK, Button.RESTART, Button.SILENCE_1H)
"""Nobody would read a line."""


_UNWELL = frozenset({"agent-silent", "agent-zombie", "agent-errored", "agent-needs-you", "agent-suspended"})
_UNHEARD = frozenset({"handoff-stale", "handoff-unannounced", "poke-unproven"})
_GONE = _UNWELL | _UNHEARD | {"agent-left-alone", "agent-memory", "agent-runaway"}
"""What can only be the consequence where an agent's process is gone, or is kept from working."""

_ROWS: tuple[AlertRule, ...] = (
    AlertRule(
        code="handoff-stale",
        escalates=True,
        inhibits=frozenset({"handoff-unannounced"}),
        buttons=(Button.ACK, Button.POKE, Button.RESTART, Button.SILENCE_1H),
        meaning="The holder of a light shows no sign of work for the stale limit (13 min unless configured).",
        evidence="The age of the light and of the last sign of work, in seconds that teamops has observed. An agent"
        " that was started again, or goes on after a stop, has the limit anew.",
        do="Poke the role (`p`), or look at its pane (`a`).",
    ),
    AlertRule(
        code="handoff-lost",
        keep_firing_s=3.0,
        inhibits=frozenset({"handoff-broken"}),
        meaning="The handoff file is missing or can't be read.",
        evidence="What the system says when the file is opened.",
        do="Put it back; teamops keeps the last good reading meanwhile.",
    ),
    AlertRule(
        code="handoff-broken",
        for_s=2.0,
        page=False,
        paged="no",
        meaning="The handoff file has blocks that don't follow the grammar.",
        evidence="The file's problems, each with its line.",
        do="`teamops handoff lint` names each place and its mending.",
    ),
    AlertRule(
        code="handoff-rewritten",
        repeat_s=8 * HOUR_S,
        meaning="A block was changed, taken out or put in between after it was handed on.",
        evidence="The blocks as the ledger keeps them, against those of the file.",
        do="Look at the difference; put the old text back (the alert is over then), or accept it. What is accepted"
        " counts as handed on: to put the old text back after that is a new rewrite.",
    ),
    AlertRule(
        code="handoff-unannounced",
        page=False,
        paged="no",
        meaning="The holder of a light was not told that it is its turn.",
        evidence="Why the line could not be typed, or was refused.",
        do="Poke the role (`p`), or start its session (`r`). A line that was refused (a dialog, a draft, somebody"
        " scrolls) is typed as soon as nothing hinders it.",
    ),
    AlertRule(
        code="poke-unproven",
        severity=Severity.CRITICAL,
        for_s=0.0,
        repeat_s=HOUR_S,
        inhibits=frozenset({"handoff-stale"}),
        buttons=(Button.ACK, Button.POKE, Button.RESTART, Button.SILENCE_1H),
        meaning="Lines were typed for the holder of a light, and nothing shows that its client took one.",
        evidence="The record of each line: typed, and no hook, log or growth that proves it. Those count that were"
        " typed since the last one that was taken, for the process that runs now.",
        do="Look at its pane (`a`): is the line there? Then poke it yourself (`p`). It is over when the agent works or"
        " the light moves.",
    ),
    AlertRule(
        code="protocol-broken",
        repeat_s=8 * HOUR_S,
        paged="if a review, a sign-off or a gate was passed over, or two roles believe that it is their turn",
        meaning="A block breaks a rule of the protocol, and the present light or a task's end rests on it.",
        evidence="The block, and the rule that it breaks.",
        do="The message says how to mend it; `teamops handoff lint` lists all.",
    ),
    AlertRule(
        code="forged-sign-off",
        severity=Severity.CRITICAL,
        for_s=0.0,
        paged="unless it stood already when teamops first saw the file",
        repeat_s=HOUR_S,
        meaning="A block of the person has no record in the ledger.",
        evidence="The block in the file, and no approval of it in the ledger.",
        do="Was it you? `teamops approve --recorded` records it. If not: believe nothing that rests on it.",
    ),
    AlertRule(
        code="human-turn",
        repeat_s=8 * HOUR_S,
        meaning="The person holds a light.",
        evidence="The Turn of the newest block of the task.",
        do="Read the block; sign the task off or send it back (`A`), or answer.",
    ),
    AlertRule(
        code="agent-dead",
        else_severity=Severity.CRITICAL,
        else_when="while it holds a light",
        for_s=2.0,  # by then it is known whether the whole tmux server went
        paged="if it holds a light",
        repeat_s=HOUR_S,
        inhibits=_GONE,
        buttons=ABOUT_NOBODY,
        meaning="An agent's process has ended, or its session is gone.",
        evidence="The kernel's word on the process, its exit status or signal; tmux' word on the pane. One that teamops"
        " started, that nobody stopped and that isn't there any more is dead also where nobody saw its end.",
        do="Look at its last screen (`Enter`), then restart it (`r`). `teamops stop ROLE` says that it may stay away.",
    ),
    AlertRule(
        code="agent-silent",
        keep_firing_s=30.0,
        page=False,
        paged="no",
        buttons=ABOUT_AGENT,
        meaning="An agent that is expected to beat has missed two beats.",
        evidence="The age of its last beat.",
        do="Look at its pane (`Enter`).",
    ),
    AlertRule(
        code="agent-zombie",
        else_severity=Severity.CRITICAL,
        else_when="while it holds a light",
        inhibits=frozenset({"agent-silent", "handoff-stale", "handoff-unannounced", "poke-unproven"}),
        repeat_s=HOUR_S,
        buttons=ABOUT_AGENT,
        meaning="An agent's process lives and should work, and nothing shows that it does.",
        evidence="Its process, and the age of the last growth of its log, its last beat with progress, its output.",
        do="Look at its pane (`Enter`), then restart it (`r`). By default teamops restarts it by rule if it started"
        " it.",
    ),
    AlertRule(
        code="agent-errored",
        keep_firing_s=30.0,
        paged="if its account is refused, by more than its screen",
        inhibits=frozenset({"handoff-stale", "poke-unproven"}),
        buttons=ABOUT_AGENT,
        meaning="An agent's client can't reach its model: API calls fail, or its account is refused.",
        evidence="Errors in its client's log or hooks; less surely the text of its screen.",
        do="Look at its pane; log in again where its account is refused.",
    ),
    AlertRule(
        code="agent-suspended",
        severity=Severity.INFO,
        page=False,
        paged="no",
        buttons=ABOUT_AGENT,
        meaning="An agent that holds a light was stopped by a signal.",
        evidence="The state of its process in /proc.",
        do="`kill -CONT` its process, or `fg` in its pane.",
    ),
    AlertRule(
        code="agent-given-up",
        severity=Severity.CRITICAL,
        repeat_s=HOUR_S,
        inhibits=_GONE | {"agent-dead"},
        buttons=(Button.ACK, Button.RESTART, Button.SILENCE_1H),
        meaning="An agent was restarted as often as allowed, and is unwell again.",
        evidence="The ledger's record of its restarts.",
        do="Look at its last screen and its restarts (`Enter`), mend the cause, then restart it (`r`): the count begins"
        " anew.",
    ),
    AlertRule(
        code="agent-held",
        else_severity=Severity.CRITICAL,
        else_when="while it holds a light and does not run, or where its spending was stopped",
        repeat_s=4 * HOUR_S,
        inhibits=_GONE | {"agent-dead"},
        meaning="teamops holds an agent back: its account is refused, or it ran away and was stopped for that.",
        evidence="The hold in the ledger, and what caused it.",
        do="Log its client in again (`a`), then restart it (`r`); or let it work: the hold ends by itself then. One"
        " that ran away: `teamops budget lift ROLE`.",
    ),
    AlertRule(
        code="budget-hour",
        for_s=0.0,
        repeat_s=None,
        meaning="An agent, or the team, spent more within an hour than its budget says.",
        evidence="The responses that its client's log tells of, with their prices.",
        do="Look what it does (`Enter`). Nothing is stopped by an hour's limit.",
    ),
    AlertRule(
        code="budget-soft",
        for_s=0.0,
        repeat_s=None,
        meaning="An agent, or the team, has spent the soft part of its budget for today.",
        evidence="The responses that its client's log tells of, with their prices.",
        do="At 100 % it is stopped. More for today: `teamops budget lift ROLE --day-usd N`.",
    ),
    AlertRule(
        code="budget-hard",
        severity=Severity.CRITICAL,
        for_s=0.0,  # what holds is decided and stored
        inhibits=_GONE | {"agent-dead", "budget-soft", "budget-hour"},
        meaning="An agent's budget for today is spent, or the team's: its spending was stopped.",
        evidence="The sum, checked in the transaction that stored the last response; each step of the stop.",
        do="Let it rest, or `teamops budget lift ROLE --day-usd N`. Where the message says that not all of it worked:"
        " end it by hand (`a`).",
    ),
    AlertRule(
        code="budget-unchecked",
        severity=Severity.CRITICAL,
        for_s=0.0,
        repeat_s=HOUR_S,
        inhibits=_GONE | {"agent-dead", "budget-soft", "budget-hour"},
        meaning="What an agent spends can't be stored or checked: its spending was stopped.",
        evidence="What the ledger said when it was to store, or to sum up.",
        do="Free disk space, or mend what the message names; then `teamops budget lift ROLE`.",
    ),
    AlertRule(
        code="budget-unpriced",
        for_s=10.0,  # a price that is being looked up is there by then
        repeat_s=None,
        meaning="An agent with a budget uses a model whose price nobody knows.",
        evidence="The model's name in its client's log, and no price of it in any table.",
        do="Use a model whose price is known, or watch its account: its budget can't see these tokens.",
    ),
    AlertRule(
        code="boundary-refused",
        page=False,
        paged="no",
        buttons=ABOUT_AGENT,
        meaning="An agent's calls are refused again and again: 10 within 5 minutes.",
        evidence="What its client's hooks refused, with the rule of each.",
        do="Look what it wants and what was refused (`B`); poke it (`p`), or hand the work to a role that may. It is"
        " over by itself with fewer than 4 within 5 minutes. What a spent budget refuses doesn't count: that has its"
        " own alert.",
    ),
    AlertRule(
        code="boundary-unenforced",
        for_s=SETTLED_S,
        page=False,
        paged="no",
        buttons=(Button.ACK, Button.RESTART, Button.SILENCE_1H),
        meaning="An agent runs that neither the kernel nor its client's hooks hold to its boundary.",
        evidence="How it was started, and that no hook of it was heard.",
        do="Restart it (`r`): teamops starts it within its boundary. Where this machine can't hold one, `teamops run"
        ' --role ROLE --show` says what is missing. Nothing is said with `sandbox.mode = "off"`, nor of a role'
        " without a profile.",
    ),
    AlertRule(
        code="boundary-broken",
        severity=Severity.CRITICAL,
        for_s=0.0,  # it was tried, and is tried again by a person
        meaning="A role's boundary was tried, and lets through what is forbidden, or refuses what is allowed.",
        evidence="The trial at its start: what was tried, and what came of it.",
        do="The message says which layer. Mend it, then `teamops doctor --role ROLE`: it is over when a trial, or the"
        " next start, works.",
    ),
    AlertRule(
        code="boundary-crossed",
        else_severity=Severity.INFO,
        else_when="for a mere hint",
        for_s=0.0,  # the change stands
        paged="yes, but for a mere hint",
        repeat_s=8 * HOUR_S,
        meaning="A file was changed that none of those who could have changed it may change.",
        evidence="The file against how it was before, and who ran meanwhile.",
        do="Look at it: `teamops guard violations`, `teamops guard diff ID`; then `accept`, `quarantine` or `restore`"
        " it.",
    ),
    AlertRule(
        code="agent-left-alone",
        paged="if it holds a light",
        inhibits=frozenset({"agent-silent"}),
        buttons=ABOUT_AGENT,
        meaning="An agent is unwell, and teamops doesn't end its process because it did not start it.",
        evidence="Its health, and no record of its launch in the ledger.",
        do="Look at its pane (`Enter`); restart it (`r`) if it hangs. From then on it is teamops' own.",
    ),
    AlertRule(
        code="agent-memory",
        paged="if it is over the limit",
        buttons=(Button.ACK, Button.RESTART, Button.SILENCE_1H),
        meaning="An agent's process tree uses too much memory, or will within hours, as it grows.",
        evidence="The resident memory of all its processes, by the minute.",
        do="Look what it runs (`Enter`); restart it (`r`) when it rests.",
    ),
    AlertRule(
        code="agent-runaway",
        severity=Severity.CRITICAL,
        for_s=0.0,  # the rule of spikes itself has waited for more than one answer, and knows when it is over
        repeat_s=HOUR_S,
        inhibits=frozenset({"budget-hour"}),
        buttons=(Button.ACK, Button.RESTART, Button.SILENCE_1H),
        meaning="An agent uses tokens many times faster than it usually does.",
        evidence="Its tokens a minute, against what it usually uses.",
        do="Look what it does (`Enter`); interrupt it in its pane (`a`), or restart it (`r`).",
    ),
    AlertRule(
        code="agent-needs-you",
        escalates=True,
        keep_firing_s=1.0,  # what is asked after an answer is another question, and nobody has seen it yet
        inhibits=_UNHEARD | {"agent-zombie", "agent-silent"},
        meaning="An agent waits for its person: a permission dialog or a question is open.",
        evidence="Its client's hook or status file; less surely the text of its screen, which calls nobody.",
        do="Attach (`a`) and answer.",
    ),
    AlertRule(
        code="tmux-down",
        severity=Severity.CRITICAL,
        repeat_s=HOUR_S,
        inhibits=_GONE | {"agent-dead"},
        meaning="The tmux server of the team does not answer.",
        evidence="The socket: nobody answers there, and sessions of the team were seen on it before, or teamops started"
        " agents there that nobody stopped: a reboot ends them, too.",
        do="Start the team's sessions again (`teamops up`), or mend the socket in teamops.toml. `teamops down` says"
        " that they may stay away.",
    ),
    AlertRule(
        code="tmux-unseen",
        severity=Severity.CRITICAL,
        for_s=60.0,  # a busy machine lets it wait for a while
        keep_firing_s=10.0,
        repeat_s=HOUR_S,
        meaning="The tmux server can't be asked: what the agents do is not seen, and nothing is done for them.",
        evidence="tmux has not answered for a minute, has refused, or is not installed.",
        do="`tmux ls` says whether it hangs: the machine may be very busy, or the server stopped (`SIGSTOP`).",
    ),
    AlertRule(
        code="source-troubled",
        keep_firing_s=10.0,
        page=False,
        paged="no",
        meaning="A part of teamops works in a lesser way.",
        evidence="What that part says of itself.",
        do="The message says which and why.",
    ),
    AlertRule(
        code="ledger-troubled",
        severity=Severity.CRITICAL,
        keep_firing_s=3.0,
        repeat_s=HOUR_S,
        meaning="The ledger can't be written or read: what happens now may be forgotten, or can't be judged.",
        evidence="What SQLite or the system said.",
        do="Free disk space; teamops tries again every second. Until then believe no sign-off.",
    ),
    AlertRule(
        code="notify-failed",
        for_s=0.0,
        keep_firing_s=0.0,
        paged="by the next channel",
        meaning="A way to reach you does not work: a page could not be delivered by it.",
        evidence="What the channel answered to the last page, or when it was tried again.",
        do="Mend what the message names, then try it: `teamops notify test`. Pages take the next channel until then.",
    ),
)

RULES: Mapping[str, AlertRule] = MappingProxyType({row.code: row for row in _ROWS})
"""Code → rule, in the order of the documentation."""


def rule_of(code: str, rules: Mapping[str, AlertRule] = RULES) -> AlertRule:
    """Return the rule of ``code``; a plain one for a code that only another version of teamops knows."""
    known = rules.get(code)
    return AlertRule(code=code, meaning="", evidence="", do="", page=False) if known is None else known


def at_once(rules: Mapping[str, AlertRule]) -> Mapping[str, AlertRule]:
    """Return the rules of who looks once: nothing waits."""
    return {code: replace(rule, for_s=0.0) for code, rule in rules.items()}


def severity_of(finding: Finding, rules: Mapping[str, AlertRule] = RULES) -> Severity:
    """Return how grave a finding is."""
    return rule_of(finding.code, rules).severity if finding.severity is None else finding.severity


def pages(finding: Finding, rules: Mapping[str, AlertRule] = RULES) -> bool:
    """Return whether the person is told of a finding away from the screen: its rule wants it, and its case is one."""
    return rule_of(finding.code, rules).page and finding.notify is not False
