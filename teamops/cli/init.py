"""``teamops init``: a team in this folder, by five questions or by what is installed."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option
from teamops.cli.own_act import OwnFile, record_own
from teamops.cli.wizard import Around, Given, installed_clients, shown_team, team_of
from teamops.config.load import FILE, HANDOFF, check, load
from teamops.config.placing import Addition, NewFile, place
from teamops.config.starter import HANDOFF as EMPTY_HANDOFF
from teamops.config.starter import toml_of
from teamops.model.errors import EXIT_OK, TeamopsError, UsageError
from teamops.model.role import AGENT_ROLES, Role
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings

IGNORED = ".teamops/"
"""What agents write for teamops below the project; git is to leave it alone."""
LONGEST_HANDOFF = 4_000_000
"""So much of a handoff file is read for the roles at work in it."""


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: take what is installed and the defaults.")
@click.option("--name", help="The project's name (default: the folder's).")
@click.option("--roles", help='1, 2 or 3 as in the question, or names: "DIRECTOR,CODER".')
@click.option("--clients", help='What they run: "claude", or "claude,REVIEWER=codex".')
@click.option("--server", help="Which tmux server: yours, or one of the team's own (own).")
@click.option("--may", "allowed", help="What teamops may do by itself: all, deaths, poke, nothing.")
@project_option
def init(root: Path | None, *, yes: bool, **given: str | None) -> int:
    """Set up a team in this folder: teamops.toml, profiles, current.md.

    Asks five questions. What is there already is kept, never overwritten; where there is a teamops.toml, only what
    its team lacks is added.
    """
    folder = _folder(root)
    team_told = Given(**given)
    if _stands(folder / FILE, folder):
        settings = load(folder)  # refused, with its places, before anything is written
        if team_told != Given():
            raise UsageError(f"there is a {FILE} already: it is not changed", "edit it, then: teamops config check")
        plan = _Plan(folder)
        plan.kept.append(folder / FILE)
        team = ""
    else:
        plan, team = _new_team(folder, team_told, yes=yes)
        settings = None
    plan.add_rest(settings)
    if settings is not None:
        record_own(settings, None, "init", plan.own())
    place(plan.files, plan.additions)
    click.echo("\n".join(_said(plan, team)))
    _say_next(folder, here=root is None)
    return EXIT_OK


def _folder(root: Path | None) -> Path:
    """Return the folder of the project. Raises ``UsageError`` where it is not likely to be meant."""
    if root is not None:
        return root.resolve()
    here = Path.cwd().resolve()
    if here in (Path.home().resolve(), Path(here.anchor)):
        raise UsageError(f"{here} is no project's folder", "go to the project, or name it: teamops init -C FOLDER")
    around = next((folder for folder in here.parents if (folder / FILE).is_file()), None)
    if around is not None and not (here / FILE).exists():
        raise UsageError(
            f"this folder belongs to the team in {clean_line(str(around), 200)}",
            "go there to add to it; a team of this folder's own: teamops init -C .",
        )
    return here


@dataclass(slots=True)
class _Plan:
    """What is to be written, and what is there already."""

    root: Path
    roles: tuple[Role, ...] = ()
    files: list[NewFile] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def want(self, path: Path, data: bytes) -> None:
        """Plan a file, unless there is one of that name. Raises ``TeamopsError`` where something else is."""
        if _stands(path, self.root):
            self.kept.append(path)
        else:
            self.files.append(NewFile(path, data))

    def add_rest(self, settings: Settings | None) -> None:
        """Plan all but teamops.toml: profiles, the handoff file, what git is to ignore."""
        from teamops.config import profiles

        handoff = self.root / HANDOFF if settings is None else settings.handoff
        for role in self.roles if settings is None else (one.role for one in settings.roles):
            found = profiles.shipped(role)
            own = None if settings is None else settings.role(role)
            if own is not None and own.profile is not None and (found is None or own.profile.path != found.path):
                self.kept.append(own.profile.path)  # its own, wherever teamops.toml says that it is
            elif found is not None:
                self.want(self.root / "profiles" / found.path.name, found.path.read_bytes())
        self.want(handoff, EMPTY_HANDOFF.encode())
        self._ignore(handoff)

    def own(self) -> Iterator[OwnFile]:
        """Yield what is about to be written, as the audit knows teamops' own."""
        for file in self.files:
            yield file.path, file.data, None
        for addition in self.additions:
            before = addition.path.read_bytes()
            yield addition.path, before + addition.data, before

    def _ignore(self, handoff: Path) -> None:
        """Plan what git is to leave alone: agents' beats, and the lock of who writes the handoff file."""
        file = self.root / ".gitignore"
        if not (file.is_file() or any((folder / ".git").exists() for folder in (self.root, *self.root.parents))):
            return
        if os.path.lexists(file) and not file.is_file():
            return  # whatever it is, git does not read it
        lines = [IGNORED]
        if handoff.parent == self.root:
            lines.append(f".{handoff.name}.lock")
        before = file.read_bytes() if file.is_file() else b""
        known = {line.strip().strip(b"/") for line in before.splitlines()}
        data = [line.encode() for line in lines if line.encode().strip(b"/") not in known]
        if not data:
            self.kept.append(file)
            return
        end = b"\r\n" if b"\r\n" in before else b"\n"
        text = b"".join(line + end for line in data)
        if file.is_file():
            self.additions.append(Addition(file, (b"" if before.endswith(b"\n") or not before else end) + text))
        else:
            self.files.append(NewFile(file, text))


def _stands(path: Path, root: Path) -> bool:
    """Return whether a file is at ``path``. Raises ``TeamopsError`` where something else is."""
    if path.is_file():
        return True
    if os.path.lexists(path):
        raise TeamopsError(
            f"{_shown(path, root)} is in the way: it is no file that can be read", "move it away, and say it again"
        )
    return False


def _new_team(folder: Path, given: Given, *, yes: bool) -> tuple[_Plan, str]:
    """Ask for a team, or take the default one; return what is to be written for it, and the team in words."""
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("init asks five questions, and there is no terminal to answer", "take the defaults: --yes")
    _stands(folder / HANDOFF, folder)  # said before anybody has answered five questions
    around = Around(folder, installed_clients(), _speaking(folder / HANDOFF))
    try:
        team = team_of(around, given, None if yes else _ask)
    except (KeyboardInterrupt, EOFError):
        click.echo("\nnothing was written")
        raise KeyboardInterrupt from None
    plan = _Plan(folder, tuple(role for role, _ in team.roles))
    plan.want(folder / FILE, toml_of(team, around.folder).encode())
    return plan, shown_team(team)


def _ask(prompt: str) -> str:
    return input(prompt).strip()


def _speaking(handoff: Path) -> tuple[Role, ...]:
    """Return the shipped roles that have written in a handoff file that is there already."""
    if not handoff.is_file():  # reading a pipe would wait for ever
        return ()
    try:
        with handoff.open("rb") as file:
            data = file.read(LONGEST_HANDOFF)
    except OSError:
        return ()
    from teamops.handoff.document import parse

    wrote = {block.role for block in parse(data).blocks}
    return tuple(role for role in AGENT_ROLES if role in wrote)


def _said(plan: _Plan, team: str) -> Iterable[str]:
    yield ""
    yield f"team     {team}" if team else f"team     as {FILE} says"
    for file in plan.files:
        yield f"wrote    {_shown(file.path, plan.root)}"
    for addition in plan.additions:
        yield f"added    {_shown(addition.path, plan.root)}: {', '.join(addition.data.decode().split())}"
    for path in plan.kept:
        yield f"kept     {_shown(path, plan.root)}"
    if not (plan.files or plan.additions):
        yield "all of it was there already"


def _say_next(folder: Path, *, here: bool) -> None:
    """Say what a check of the new configuration warns of, and what to do now."""
    checked = check(folder, thorough=True)
    for problem in checked.problems:
        click.echo(f"{problem.severity}: {problem}")
    click.echo("\nnext")
    if not here:
        click.echo(f"  cd {shlex.quote(clean_line(str(folder), 200))}")
    click.echo("  teamops up       start the team")
    click.echo("  teamops          watch it; give it work by the first block in the handoff file")


def _shown(path: Path, root: Path) -> str:
    return clean_line(str(path.relative_to(root)) if path.is_relative_to(root) else str(path), 200)
