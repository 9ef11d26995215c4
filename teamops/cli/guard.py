"""``teamops guard``: what a role may change and run, by which rule, and what got past that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.git_hook import install_git_hook, pre_commit
from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.cli.violations import accept, diff, quarantine, restore, violations
from teamops.model.errors import EXIT_FINDING, EXIT_OK, UsageError
from teamops.model.role import role_of
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import RoleSettings, Settings
    from teamops.domain.layers import Held
    from teamops.guard.judge import Decision, Light

SCHEMA = "teamops.guard/1"


@click.group()
def guard() -> None:
    """Show what holds the agents within their roles."""


@guard.command()
@click.option("--role", required=True, help="The role that would act.")
@click.argument("path", required=False)
@click.option("--command", "line", help="A shell's line, in place of a path.")
@click.option("--delete", is_flag=True, help="The path would be deleted, not written.")
@click.option("--tier", type=click.IntRange(1, 3), help="As if it held the light of a task of this tier.")
@click.option("--now", "really", is_flag=True, help="With the light as it is now; else as if the role held it.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@project_option
@state_option
def explain(
    role: str,
    path: str | None,
    line: str | None,
    tier: int | None,
    root: Path | None,
    state_dir: Path | None,
    *,
    delete: bool,
    really: bool,
    as_json: bool,
) -> int:
    """Say whether a role may change PATH or run a command, and the rule that decides.

    It is asked what the role's own hook asks; and said which layer holds the answer here. Ends with 1 where it may not.
    """
    if (path is None) == (line is None):
        raise UsageError("PATH or --command is wanted, one of them", 'such as: src/a.py, or --command "git push"')
    if really and tier is not None:
        raise UsageError("--now and --tier contradict each other", "give one of them")
    settings = settings_of(root)
    own = _role(settings, role)
    said, network = _decide(settings, own, state_dir, path, line, tier, delete=delete, really=really)
    held = _held(settings, own, state_dir, path, denied=said.verdict == "deny")
    if as_json:
        told = {
            "schema": SCHEMA,
            "role": own.role,
            "about": said.about,
            "verdict": said.verdict,
            "rule": said.rule,
            "why": said.why,
            "instead": said.instead,
            "network": network,
            "layer": held.layer,
            "held": held.words,
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"{said.verdict}  {own.role}  {clean_line(said.about, 200)}")
        click.echo(f"  rule     {clean_line(said.rule, 200)}")
        click.echo(f"  because  {clean_line(said.why, 300)}")
        if said.instead:
            click.echo(f"  instead  {clean_line(said.instead, 300)}")
        click.echo(f"  layer    {clean_line(held.words, 400)}")
        if network and line is not None:
            click.echo(f"  network  {clean_line(network, 200)} (a word of the profile; nothing here holds it off)")
    return EXIT_FINDING if said.verdict == "deny" else EXIT_OK


@guard.command()
@project_option
def light(root: Path | None) -> int:
    """Print whose turn it is, as the agents' hooks are told (JSON)."""
    from teamops.effects.policies import light_now

    settings = settings_of(root)
    click.echo(light_now(settings.handoff, [role.role for role in settings.roles]))
    return EXIT_OK


for _command in (violations, diff, accept, quarantine, restore, install_git_hook, pre_commit):
    guard.add_command(_command)


def _role(settings: Settings, role: str) -> RoleSettings:
    """Return a role of the team; where there is no team, one with its shipped profile."""
    from teamops.config.profiles import shipped
    from teamops.config.settings import RoleSettings

    name = role_of(role)
    found = settings.role(name)
    if found is None and not settings.roles and (profile := shipped(name)) is not None:
        found = RoleSettings(
            role=name, name=profile.name, profile=profile, session="", client="command", command=(), cwd=settings.root
        )
    if found is None:
        known = ", ".join(row.role for row in settings.roles) or "the six that ship with teamops"
        raise UsageError(f'"{clean_line(role, 60)}" is no role of this team', f"roles: {known}")
    return found


def _decide(
    settings: Settings,
    own: RoleSettings,
    state_dir: Path | None,
    path: str | None,
    line: str | None,
    tier: int | None,
    *,
    delete: bool,
    really: bool,
) -> tuple[Decision, str]:
    """Return the decision, and the profile's word about the network."""
    import shlex

    from teamops.config.boundary import compiled_in
    from teamops.guard.decide import decide
    from teamops.guard.judge import Light
    from teamops.supervisor.lease import state_dir_of

    told = compiled_in(settings, own, state_dir_of(settings, state_dir))
    policy = json.loads(json.dumps(told))
    light = _light_now(settings, own) if really else Light(held=True, tiers=(tier,) if tier else ())
    if line is None and delete:
        line = f"rm -r {shlex.quote(path or '')}"
    if line is not None:
        said = decide(policy, "Bash", {"command": line}, str(own.cwd), light)
    else:
        # One line is changed, so that what a tier allows beyond the rest can be seen.
        given = {"file_path": path, "old_string": "x", "new_string": "y"}
        said = decide(policy, "Edit", given, str(Path.cwd() if root_holds(settings) else settings.root), light)
    return said, str(policy.get("network", ""))


def _held(settings: Settings, own: RoleSettings, state_dir: Path | None, path: str | None, *, denied: bool) -> Held:
    """Return which layer holds the answer about a path, or about a command where there is none."""
    import os

    from teamops.domain.layers import of_command, of_path
    from teamops.effects.holding import holding_of
    from teamops.supervisor.lease import state_dir_of

    holding = holding_of(settings, own, state_dir_of(settings, state_dir))
    if path is None:
        return of_command(holding, denied=denied)
    base = Path.cwd() if root_holds(settings) else settings.root
    return of_path(holding, os.path.realpath(base / os.path.expanduser(path)), denied=denied)  # noqa: PTH111 - it never raises


def root_holds(settings: Settings) -> bool:
    """Return whether this folder is the project's or one in it: then paths are meant from here."""
    return Path.cwd().resolve().is_relative_to(settings.root)


def _light_now(settings: Settings, own: RoleSettings) -> Light:
    from teamops.effects.policies import light_now
    from teamops.guard.light import light_in

    told = json.loads(light_now(settings.handoff, [role.role for role in settings.roles]))
    return light_in(told["rows"], own.role)
