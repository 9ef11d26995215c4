"""A believable team's boundaries: what each may write, what was refused, and what got past."""

from __future__ import annotations

from datetime import timedelta

from teamops.model.boundary import (
    BoundaryView,
    ChangeKind,
    Decision,
    Verdict,
    Violation,
    ViolationState,
)
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role
from teamops.tui.believable_handoff import NOON

_OURS = ("/teamops.toml", "/profiles/", "/.teamops/", "/.git/")
_LIGHT = "only while it holds the light"
_ALLOW: dict[Role, tuple[str, ...]] = {
    DIRECTOR: ("/current.md", "/docs/", "*.md"),
    REVIEWER: ("/current.md", "/reviews/"),
    PARTNER: ("/current.md", "/research/"),
}
_DENY: dict[Role, tuple[str, ...]] = {DIRECTOR: ("*.py", "*.js", "*.ts", "/reviews/", "/research/", *_OURS)}


def _moment(seconds_ago: float) -> float:
    return (NOON - timedelta(seconds=seconds_ago)).timestamp()


def believable_refused() -> tuple[Decision, ...]:
    """Return what hooks have refused, newest first."""

    def one(
        number: int,
        ago: float,
        role: Role,
        rule: str,
        about: str,
        why: str,
        verdict: Verdict = Verdict.DENY,
        times: int = 1,
    ) -> Decision:
        wall = _moment(ago)
        return Decision(id=number, role=role, wall=wall, verdict=verdict, rule=rule, about=about, why=why, times=times)

    return (
        one(
            9, 41.0, REVIEWER, "write.allow", "src/webhooks/retry.py",
            "write.allow: src/webhooks/retry.py is not among what REVIEWER may change; report it in your block "
            "(teamops append); DEVELOPER or CODER or OPTIMIZER may change it",
            times=3,
        ),
        one(
            8, 505.0, CODER, "write.named_files_only", "src/settings/theme.ts",
            "no block of the task names src/settings/theme.ts: say in your block why it changes",
            Verdict.WARN,
        ),
        one(
            7, 1310.0, REVIEWER, 'commands.deny "git commit*"', 'git commit -am "fix retry"',
            "commands.deny: REVIEWER may not run it; say in your block what should be done",
        ),
        one(
            6, 5200.0, DIRECTOR, 'write.deny "*.py"', "src/webhooks/queue.py",
            "write.deny: DIRECTOR may not change *.py; give the light to DEVELOPER or CODER",
        ),
    )  # fmt: skip


def believable_boundary(role: Role, *, runs: bool = True) -> BoundaryView:
    """Return what is known of a role's boundary."""
    refused = [one for one in believable_refused() if one.role == role and one.verdict is Verdict.DENY]
    limits = {
        OPTIMIZER: ("no new files", "one call grows a file by 20 lines at most"),
        CODER: ("is warned of files that no block of the task names",),
    }.get(role, ())
    held = role != PARTNER
    return BoundaryView(
        allow=_ALLOW.get(role, ("*",)),
        deny=_DENY.get(role, ("/reviews/", "/research/", *_OURS) if role not in _ALLOW else _OURS[1:]),
        limits=(*limits, _LIGHT),
        kernel="bwrap + Landlock" if runs and held else "",
        hook=runs and held,
        unenforced=""
        if held or not runs
        else "teamops did not start it, and does not know what holds it; no hook of its client has asked so far",
        blocked=sum(one.times for one in refused),
        last_blocked=refused[0] if refused else None,
    )


def believable_violations() -> tuple[Violation, ...]:
    """Return what got past: one that stands, one that was undone, one that the person let stand."""
    return (
        Violation(
            id=12,
            wall=_moment(38.0),
            path="src/webhooks/retry.py",
            change=ChangeKind.CHANGED,
            roles=(REVIEWER, DEVELOPER),
            rule="write.allow",
            why="REVIEWER may not change it",
            evidence=(
                "REVIEWER's hook refused src/webhooks/retry.py three times within the minute before",
                "REVIEWER's client runs a program that has the file's folder open",
                "DEVELOPER holds the light, and its last tool call ended before the change",
            ),
            added=4,
            removed=1,
        ),
        Violation(
            id=11,
            wall=_moment(2710.0),
            path="tests/webhooks/test_retry.py",
            change=ChangeKind.CREATED,
            roles=(OPTIMIZER,),
            rule="write.new_files",
            why="OPTIMIZER may make no new files",
            evidence=("OPTIMIZER held the light",),
            added=31,
            removed=0,
            state=ViolationState.QUARANTINED,
            note="quarantined; OPTIMIZER was told",
            changed_wall=_moment(2704.0),
        ),
        Violation(
            id=9,
            wall=_moment(9100.0),
            path="docs/design/queue.md",
            change=ChangeKind.CHANGED,
            roles=(CODER,),
            rule='write.deny "/docs/design/"',
            why="CODER may not change it",
            evidence=("CODER held the light",),
            added=2,
            removed=2,
            state=ViolationState.ACCEPTED,
            note="accepted by ada",
            changed_wall=_moment(8800.0),
        ),
    )


def believable_violation_diff() -> tuple[str, ...]:
    """Return the change of the one that stands."""
    return (
        "--- src/webhooks/retry.py, before",
        "+++ src/webhooks/retry.py, as REVIEWER left it",
        "@@ -18,7 +18,10 @@",
        " def delay(attempt: int) -> float:",
        '     """Return how long to wait before the next try."""',
        "-    return 2.0 ** attempt",
        "+    if attempt > 8:",
        "+        return MAX_DELAY_S",
        "+    jitter = random.uniform(0.0, 1.0)",
        "+    return 2.0 ** attempt + jitter",
        " ",
        " ",
    )
