"""``teamops config``: what is configured, and whether it holds."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from teamops.cli.options import project_option
from teamops.cli.place import root_of
from teamops.config.problems import ConfigProblem
from teamops.config.settings import RoleSettings, Settings
from teamops.model.errors import EXIT_FINDING, EXIT_OK, EXIT_USAGE


@click.group()
def config() -> None:
    """Check teamops.toml and the profiles."""


@config.command()
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.config/1.")
def check(root: Path | None, *, as_json: bool) -> int:
    """Print what is configured, and every problem with its place.

    Exits with 0 when all is well, 1 when there are only warnings, and 2 when the configuration is refused.
    """
    from teamops.config.load import check as read

    folder = root_of(root)
    checked = read(folder, thorough=True)
    if as_json:
        click.echo(json.dumps(_json(folder, checked.settings, checked.problems), ensure_ascii=False, indent=2))
    else:
        if checked.settings is not None:
            click.echo(_text(checked.settings))
        for problem in checked.problems:
            click.echo(f"{problem.severity}: {problem}")
        if checked.settings is None:
            click.echo("refused: mend the errors above; docs/configuration.md lists every key")
    if checked.settings is None:
        return EXIT_USAGE
    return EXIT_FINDING if checked.problems else EXIT_OK


def _json(root: Path, settings: Settings | None, problems: tuple[ConfigProblem, ...]) -> dict[str, object]:
    answer: dict[str, object] = {
        "schema": "teamops.config/1",
        "ok": settings is not None,
        "root": str(root),
        "problems": [
            {
                "file": problem.shown,
                "line": problem.line,
                "column": problem.column,
                "severity": problem.severity.value,
                "message": problem.message,
            }
            for problem in problems
        ],
    }
    if settings is None:
        return answer
    limits = settings.limits
    return answer | {
        "source": str(settings.source) if settings.source else None,
        "watch_only": settings.watch_only,
        "project": settings.project,
        "handoff": str(settings.handoff),
        "tmux": {"socket_name": settings.tmux.socket_name, "socket_path": settings.tmux.socket_path},
        "notify": {
            "desktop": settings.notify.desktop,
            "terminal": settings.notify.terminal,
            "channels": list(settings.notify.order),
        },
        "limits": {
            "waiting_s": limits.waiting_s,
            "stale_s": limits.stale_s,
            "tier": {
                str(tier): {"waiting_s": limits.waiting_for(tier), "stale_s": limits.stale_for(tier)}
                for tier in sorted({*limits.waiting_by_tier, *limits.stale_by_tier})
            },
            "beat_interval_s": limits.beat_interval_s,
            "missed_beats": limits.missed_beats,
            "starting_s": limits.starting_s,
            "evidence_s": limits.evidence_s,
        },
        # Values of environment variables may be secrets: only their names are shown.
        "roles": [
            {
                "role": role.role,
                "name": role.name,
                "client": role.client,
                "session": role.session,
                "command": list(role.command),
                "cwd": str(role.cwd),
                "env": sorted(role.env),
                "profile": str(role.profile.path) if role.profile else None,
            }
            for role in settings.roles
        ],
    }


def _text(settings: Settings) -> str:
    if settings.source is None:
        return (
            f"{settings.project}: no teamops.toml in {settings.root}\n"
            f"  teamops only watches {settings.handoff.name}; nothing in tmux is managed"
        )
    tmux = settings.tmux
    server = f"-S {tmux.socket_path}" if tmux.socket_path else f"-L {tmux.socket_name}" if tmux.socket_name else "yours"
    limits = settings.limits
    tiers = "".join(
        f"; tier {tier}: {limits.waiting_for(tier):g} s, {limits.stale_for(tier):g} s"
        for tier in sorted({*limits.waiting_by_tier, *limits.stale_by_tier})
    )
    lines = [
        f"{settings.project}: {settings.source}",
        f"  handoff  {settings.handoff}",
        f"  tmux     {server}",
        f"  limits   waiting {limits.waiting_s:g} s, stale {limits.stale_s:g} s{tiers}",
        f"  notify   {', '.join(settings.notify.order) or 'nobody'}",
    ]
    rows = [_row(role, settings.root) for role in settings.roles]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  " + "  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def _row(role: RoleSettings, root: Path) -> tuple[str, str, str, str, str]:
    whose = "no profile"
    if role.profile is not None:
        path = role.profile.path
        whose = f"own profile {path.relative_to(root)}" if path.is_relative_to(root) else "shipped profile"
    start = shlex.join(role.command) if role.command else "(no command: restarts what ran)"
    return (str(role.role), role.name, role.client, role.session, f"{start}  [{whose}]")
