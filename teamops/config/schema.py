"""Every key of teamops.toml: one table that drives reading, refusals, hints and the documentation."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from teamops.config.notify_values import addresses, channels, signal, variable
from teamops.config.values import (
    alert_code,
    audit_mode,
    client,
    command,
    count,
    dollars,
    factor,
    globs,
    lines,
    path,
    paths,
    percent,
    price,
    quiet,
    report_formats,
    restart_when,
    role_name,
    sandbox_mode,
    seconds,
    session,
    size,
    socket_name,
    spike_stop,
    switch,
    text,
    tier_name,
    timezone,
    together,
    tokens,
    url,
    variables,
)

Path = tuple[str, ...]


class Key(Struct, frozen=True):
    """One key."""

    path: Path
    """From the document's root; ``*`` stands for a role's or model's name or a tier's number."""
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
        free = {"roles": "ROLE", "prices": "MODEL", "alerts": "CODE"}.get(self.path[0], "N")
        return ".".join(free if part == "*" else part for part in self.path)


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
    _key("budget.hour_usd", "dollars", dollars, "none", "The team: more than this within 60 minutes is an alert."),
    _key("budget.day_usd", "dollars", dollars, "none", "The team: all of this spent on one day stops every agent."),
    _key("budget.soft_percent", "number", percent, "80", "So much of a day's budget spent is an alert."),
    _key("budget.timezone", "text", timezone, "the system's", "IANA name of the zone whose days count."),
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
    _key(
        "guard.audit",
        "one of",
        audit_mode,
        '"alert"',
        "A change that nobody may make who could have: alert, quarantine (undone and kept), off.",
    ),
    _key(
        "guard.strict",
        "true/false",
        switch,
        "false",
        "Start no agent whose boundary is broken, or that nothing here can hold.",
    ),
    _key("gates.runs", "command", command, "none", "Runs the gate `runs`: exit status 0 passes."),
    _key("gates.correct", "command", command, "none", "Runs the gate `correct`: exit status 0 passes."),
    _key("gates.complete", "table", together, "none", "Where files of a glob changed, files of these must have too."),
    _key("gates.timeout_s", "duration", seconds, '"15m"', "A gate that takes longer fails."),
    _key(
        "notify.channels",
        "list of names",
        channels,
        "all that are set up",
        "Ways to reach you, the first to be tried first; the next where that fails.",
    ),
    _key("notify.desktop", "true/false", switch, "true", "Tell the person by a desktop notification (D-Bus)."),
    _key("notify.terminal", "true/false", switch, "true", "Where that fails, ring the terminal's bell."),
    _key("ledger.raw_days", "number", count, "7", "So many days single beats and responses are kept."),
    _key("ledger.minute_days", "number", count, "90", "So many days sums by the minute are; facts are kept for ever."),
    _key("watchdog.url", "URL", url, "none", "Told each minute that teamops lives: a healthchecks-style URL."),
    _key("report.daily", "true/false", switch, "true", "Write each day's report after midnight."),
    _key("report.folder", "path", path, '"reports"', "Where to; relative to the project's folder."),
    _key("report.formats", "list", report_formats, '["md", "json"]', "One file each: text, md, json, html."),
    _key("report.send", "true/false", switch, "false", "Send its summary as a notification."),
    _key(
        "notify.signal",
        "one of",
        signal,
        '"auto"',
        "What the terminal understands beside its bell: auto, bell (nothing), osc9, osc777, osc99.",
    ),
    _key(
        "notify.remote.urls_file",
        "path",
        path,
        "none",
        "A file of yours alone (mode 600) with apprise's addresses, one a line: phone, chat, mail.",
    ),
    _key("notify.remote.urls_env", "text", variable, "none", "The environment variable that holds such addresses."),
    _key("notify.remote.urls", "list", addresses, "none", "Such addresses themselves; agents can read them here."),
    _key(
        "notify.remote.timeout_s",
        "duration",
        seconds,
        '"20s"',
        "Each address may take so long; none waits for another.",
    ),
    _key("notify.command.command", "command", command, "none", "Your own program, given each page as JSON."),
    _key("notify.command.timeout_s", "duration", seconds, '"10s"', "If it takes longer it has failed, and is ended."),
    _key("notify.quiet", "span of the day", quiet, "none", 'When only what is critical calls: "22:00-07:00".'),
    _key(
        "notify.cap",
        "number",
        count,
        "6",
        "At most so many pages within notify.cap_window_s, and as many that tell first of what is critical.",
    ),
    _key("notify.cap_window_s", "duration", seconds, '"10m"', "… and the last of them takes all the rest with it."),
    _key("notify.group_wait_s", "duration", seconds, '"5s"', "A page waits so long for what belongs to it."),
    _key("notify.group_interval_s", "duration", seconds, '"30s"', "… and the next of its kind so long after it."),
    _key("notify.escalate_s", "duration", seconds, '"10m"', "Unacknowledged for so long: the next channel, too."),
    _key("notify.resolved", "true/false", switch, "false", "Tell, too, when a cause you were told of is gone."),
    _key("alerts.*.page", "true/false", switch, "as docs/alerts.md says", "Does an alert of this code call you."),
    _key("alerts.*.for_s", "duration", seconds, "its rule's", "So long its cause is seen before it fires."),
    _key("alerts.*.repeat_s", "duration", seconds, "its rule's", "Told again so often until it is acknowledged."),
    _key("prices.*.input", "number", price, "the shipped table's", "A model's price: USD per million tokens of input."),
    _key("prices.*.output", "number", price, "the shipped table's", "… of output; it and input go together."),
    _key("prices.*.cache_write", "number", price, "as input", "… of input that is written to the cache."),
    _key("prices.*.cache_write_1h", "number", price, "as cache_write", "… of input that is kept there for an hour."),
    _key("prices.*.cache_read", "number", price, "as input", "… of input that is read from the cache."),
    _key("prices.*.fast", "number", price, "none", "So many times the price with the fast speed."),
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
    _key("roles.*.budget.hour_usd", "dollars", dollars, "none", "This agent: as budget.hour_usd."),
    _key("roles.*.budget.day_usd", "dollars", dollars, "none", "This agent: all of this spent on one day stops it."),
    _key("roles.*.budget.soft_percent", "number", percent, "budget.soft_percent", "The same, for this role alone."),
    _key(
        "roles.*.write.allow", "globs", globs, "the profile's", "What the role may change, in the syntax of .gitignore."
    ),
    _key("roles.*.write.deny", "globs", globs, "the profile's", "What it may not change, whatever it may."),
    _key("roles.*.write.new_files", "true/false", switch, "the profile's", "May it add files."),
    _key("roles.*.write.delete", "true/false", switch, "the profile's", "May it delete files."),
    _key("roles.*.write.named_files_only", "true/false", switch, "the profile's", "Warn of files no block names."),
    _key("roles.*.write.net_lines", "number", lines, "the profile's", "By so many lines one call lets a file grow."),
    _key("roles.*.write.verdicts", "true/false", switch, "the profile's", "May it write a Verdict."),
    _key("roles.*.write.light", "true/false", switch, "the profile's", "Does it change things only with the light."),
    _key("roles.*.commands.allow", "patterns", globs, "the profile's", "What it may run, beside what only reads."),
    _key("roles.*.commands.deny", "patterns", globs, "the profile's", "What it may not run."),
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
NAMES: dict[Path, Callable[[str], object]] = {
    ("roles",): role_name,
    ("limits", "tier"): tier_name,
    ("prices",): text,
    ("alerts",): alert_code,
}
"""How the names below a table with free names are read."""


def tables_with(name: str) -> list[str]:
    """Return the tables, as documented, that have a key of this name."""
    return [key.name.rpartition(".")[0] for key in KEYS if key.path[-1] == name]


def documentation() -> str:
    """Return the table of keys as docs/configuration.md has it."""
    rows = [f"| `{key.name}` | {key.kind} | {key.default} | {key.doc} |" for key in KEYS]
    return "\n".join(["| key | holds | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
