"""``teamops run``: any program inside a role's boundary."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import need_project, settings_of
from teamops.model.errors import EXIT_OK, TeamopsError, UsageError
from teamops.model.role import HUMAN, NONE, role_of

if TYPE_CHECKING:
    from teamops.config.settings import RoleSettings, Settings
    from teamops.effects.confine import Confined

NOT_FOUND = 127
NOT_RUNNABLE = 126


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("--role", "name", required=True, help="Whose boundary it is.")
@click.option("--show", is_flag=True, help="Say what the kernel would hold, and start nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --show: print teamops.boundary/1.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- CMD…")
@project_option
@state_option
def run(
    name: str, command: tuple[str, ...], root: Path | None, state_dir: Path | None, *, show: bool, as_json: bool
) -> int:
    """Run CMD so that it can write only what ROLE may, in this folder's project.

    The kernel holds it (bwrap and Landlock on Linux), for CMD and all that it starts; docs/boundaries.md says what that
    stops. Exit code: that of CMD; 125 where the boundary can't be held, 2 where there is no project.
    """
    from teamops.effects.confine import confined
    from teamops.effects.recipe import Recipe
    from teamops.supervisor.lease import state_dir_of

    if not command and not show:
        raise UsageError("no command to run", "teamops run --role REVIEWER -- pytest -q")
    settings = settings_of(root)
    if not show:
        need_project(settings)
    role = _role(settings, name, command)
    env = {"TEAMOPS_ROLE": str(role.role), "TEAMOPS_PROJECT": str(settings.root)}
    recipe = Recipe(argv=role.command or ("true",), env={**role.env, **env})
    done = confined(settings, role, state_dir_of(settings, state_dir), recipe, plan="", prepare=not show)
    if show:
        _show(done, role, as_json=as_json)
        return EXIT_OK
    if done.boundary is None:
        click.echo(f"teamops: {done.recipe.notes[-1]}", err=True)
    done.recipe.write()
    os.chdir(role.cwd)
    return _become(done.recipe.argv, {**os.environ, **done.recipe.env})


def _role(settings: Settings, name: str, command: Sequence[str]) -> RoleSettings:
    """Return the role's settings for this one command, which is started here; without one, for its agent's own.

    Raises ``UsageError``.
    """
    from teamops.config.profiles import shipped
    from teamops.config.settings import RoleSettings, client_of

    role = role_of(name)
    known = settings.role(role)
    profile = known.profile if known is not None else shipped(role)
    if role in (HUMAN, NONE) or (known is None and profile is None):
        roles = ", ".join(row.role for row in settings.roles)
        raise UsageError(
            f'"{name}" is no role of this team', f"roles: {roles}" if roles else "a shipped profile's role"
        )
    words = tuple(command) or (known.command if known is not None else ())
    return RoleSettings(
        role=role,
        name=known.name if known is not None else role.capitalize(),
        profile=profile,
        session="",
        client=client_of(tuple(command)) if command else known.client if known is not None else "command",
        command=words,
        cwd=_where(settings, known),
        env=known.env if known is not None else {},
        boundary=known.boundary if known is not None else {},
    )


def _where(settings: Settings, known: RoleSettings | None) -> Path:
    """Return the folder it runs in: this one, where it is the project's or the role's; its rules are for no other."""
    here = Path.cwd()
    own = (settings.root, *([known.cwd] if known is not None else []))
    return here if any(here.is_relative_to(folder.resolve()) for folder in own) else own[-1]


def _become(argv: Sequence[str], env: dict[str, str]) -> int:
    try:
        os.execvpe(argv[0], list(argv), env)  # noqa: S606 - a program, without a shell
    except FileNotFoundError:
        raise _Unstarted(f"there is no program {argv[0]}", NOT_FOUND) from None
    except OSError as error:
        raise _Unstarted(f"{argv[0]} can't be run: {error.strerror}", NOT_RUNNABLE) from error


class _Unstarted(TeamopsError):  # noqa: N818 - what is said, not a defect
    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


def _show(done: Confined, role: RoleSettings, *, as_json: bool) -> None:
    from teamops.domain.confinement_words import words

    drawn = done.boundary
    if as_json:
        told: dict[str, object] = {
            "schema": "teamops.boundary/1",
            "role": str(role.role),
            "enforced_by": done.means.name if drawn is not None else "",
            "missing": list(done.means.missing),
        }
        if drawn is not None:
            told |= {
                "writable": list(drawn.writable),
                "mounts": [{"cover": str(mount.cover), "path": mount.path} for mount in drawn.mounts],
                "rules": [{"rule": rule.rule, "layer": str(rule.layer), "why": rule.why} for rule in drawn.rules],
                "holes": list(drawn.holes),
            }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for note in done.recipe.notes:
        click.echo(note)
    for line in words(drawn) if drawn is not None else ():
        click.echo(line)
