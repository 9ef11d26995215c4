"""The five questions of ``teamops init``: what each may be answered, and what the answer means."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from teamops.config import values
from teamops.config.problems import nearest
from teamops.config.settings import CLIENTS
from teamops.config.starter import Allowed, Team, in_order, server_name
from teamops.model.errors import UsageError
from teamops.model.role import AGENT_ROLES, DEVELOPER, DIRECTOR, REVIEWER, Role, role_of
from teamops.model.text import clean_line

PROGRAMS = CLIENTS[:4]
"""The clients that are programs of their own name, in the order in which one is taken by itself."""
TWO, THREE = (DIRECTOR, DEVELOPER), (DIRECTOR, DEVELOPER, REVIEWER)
_SETS: tuple[tuple[Role, ...], ...] = (TWO, THREE, AGENT_ROLES)
_ALLOWED = (Allowed.ALL, Allowed.DEATHS, Allowed.POKE, Allowed.NOTHING)

T = TypeVar("T")


class Unclear(Exception):  # noqa: N818 - it is the word for an answer, not for a failure of the program
    """An answer can't be used. Its text is a whole sentence for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was answered by options, as typed; ``None`` = is asked, or taken by default."""

    name: str | None = None
    roles: str | None = None
    clients: str | None = None
    server: str | None = None
    allowed: str | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What the machine and the folder say before anybody is asked."""

    root: Path
    installed: tuple[str, ...]
    """Of PROGRAMS, those that can be started here."""
    speaking: tuple[Role, ...]
    """Shipped roles that have written in the handoff file already."""

    @property
    def folder(self) -> str:
        """The project's name if nobody gives it one."""
        return clean_line(self.root.name, 60) or "project"

    @property
    def client(self) -> str:
        """What runs in the panes if nobody says otherwise."""
        return self.installed[0] if self.installed else PROGRAMS[0]

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who is in the team if nobody says otherwise: who is at work already, else enough for every tier."""
        return in_order({*self.speaking}) if self.speaking else THREE


def installed_clients() -> tuple[str, ...]:
    """Return the clients that can be started here."""
    return tuple(name for name in PROGRAMS if shutil.which(name))


def team_of(around: Around, given: Given, ask: Callable[[str], str] | None) -> Team:
    """Return the team, by the options that were given, then by ``ask``, else by default.

    ``ask`` shows the prompt's last line and returns what is typed; without it nothing is asked. Raises ``UsageError``
    for an option that can't be used.
    """
    if ask is not None:
        click.echo("\n".join(_greeting(around)))
    interview = _Interview(ask)
    name = interview.answer(_name_question(around), "--name", given.name, project_of)
    roles = interview.answer(_roles_question(around), "--roles", given.roles, roles_of)

    def commands(text: str) -> tuple[tuple[Role, str], ...]:
        return commands_of(text, roles, around)

    started = interview.answer(_clients_question(around), "--clients", given.clients, commands)
    own_server = interview.answer(_server_question(name), "--server", given.server, own_server_of)
    allowed = interview.answer(_allowed_question(), "--may", given.allowed, allowed_of)
    project = "" if name == around.root.name else name
    return Team(project=project, roles=started, own_server=own_server, allowed=allowed)


# what an answer means


def project_of(text: str) -> str:
    """Return a project's name. Raises ``Unclear``."""
    try:
        name = values.text(text)
    except values.Wrong as error:
        raise Unclear(f"The project's name {error}.") from error
    if len(name) > 60:
        raise Unclear("The project's name has at most 60 characters.")
    return name


def roles_of(text: str) -> tuple[Role, ...]:
    """Return the roles that a number of the list, ``all``, or names with commas between them mean."""
    word = text.strip().lower()
    if word in ("1", "2", "3", "all"):
        return _SETS[-1 if word == "all" else int(word) - 1]
    found: set[Role] = set()
    for part in text.replace(",", " ").split():
        role = role_of(part)
        if role not in AGENT_ROLES:
            likely = nearest(role, list(AGENT_ROLES))
            hint = f"did you mean {likely}?" if likely else f"there are {', '.join(AGENT_ROLES)}."
            raise Unclear(f"{values.shown(part)} is no shipped role: {hint}")
        found.add(role)
    if not found:
        raise Unclear("A team has at least one role.")
    return in_order(found)


def commands_of(text: str, roles: Sequence[Role], around: Around) -> tuple[tuple[Role, str], ...]:
    """Return what starts each role's agent: one command for all, ``ROLE=command`` for single ones, commas between."""
    every, single = "", dict[Role, str]()
    for part in text.split(","):
        before, equals, after = part.partition("=")
        role = role_of(before)
        if equals and role in AGENT_ROLES:
            if role not in roles:
                raise Unclear(f"{role} is not in this team.")
            single[role] = _command(after, around)
        elif every:
            raise Unclear(f"One command for all, then ROLE=command: {values.shown(part.strip())} is neither.")
        else:
            every = _command(part, around)
    return tuple((role, single.get(role, every or around.client)) for role in roles)


def _command(text: str, around: Around) -> str:
    """Return a command that can be started, or could once its client is installed. Raises ``Unclear``."""
    try:
        command = values.text(text)
        program = values.command(command)[0]
    except values.Wrong as error:
        raise Unclear(f"The command {error}.") from error
    if program in PROGRAMS or shutil.which(str(around.root / program) if "/" in program else program):
        return command
    likely = nearest(program, list(PROGRAMS))
    hint = f"did you mean {likely}?" if likely else f"clients are {', '.join(PROGRAMS)}."
    raise Unclear(f"There is no program {values.shown(program)}: {hint}")


def own_server_of(text: str) -> bool:
    """Return whether the team's sessions live in a tmux server of its own."""
    word = text.strip().lower()
    if word in ("1", "yours"):
        return False
    if word in ("2", "own"):
        return True
    raise Unclear("Type 1 (yours) or 2 (own).")


def allowed_of(text: str) -> Allowed:
    """Return what teamops may do by itself."""
    word = text.strip().lower()
    if word in {str(number + 1) for number in range(len(_ALLOWED))}:
        return _ALLOWED[int(word) - 1]
    if word in {*Allowed}:
        return Allowed(word)
    raise Unclear(f"Type a number from 1 to {len(_ALLOWED)}, or one of {', '.join(_ALLOWED)}.")


# how it is asked


@dataclass(frozen=True, slots=True)
class _Question:
    text: tuple[str, ...]
    default: str
    """As it would be typed; Enter alone means it."""


def _greeting(around: Around) -> tuple[str, ...]:
    return (
        f"A team for {clean_line(str(around.root), 200)}",
        "Five questions; Enter takes what is in brackets. Nothing is written before the",
        "last answer, and Ctrl+C leaves everything as it is.",
    )


def _name_question(around: Around) -> _Question:
    return _Question(("What is the project called? Its sessions will be, too.",), around.folder)


def _roles_question(around: Around) -> _Question:
    text = (
        "Who is in the team? More agents cost more; each role can be added later.",
        "   1  DIRECTOR and DEVELOPER: one designs and verifies, one builds",
        "   2  … and REVIEWER, who challenges design and code (needed for tier 3)",
        "   3  … and CODER, OPTIMIZER and PARTNER: all six",
        "   or their names: DIRECTOR, CODER, REVIEWER",
    )
    default = str(_SETS.index(around.roles) + 1) if around.roles in _SETS else ", ".join(around.roles)
    return _Question(text, default)


def _clients_question(around: Around) -> _Question:
    here = ", ".join(around.installed) or "none of them; install one, or name a program of your own"
    text = (
        f"What do they run? {', '.join(PROGRAMS)}, or a program of your own.",
        f"   installed here: {here}",
        "   One for all, and others for single roles: claude, REVIEWER=codex",
    )
    return _Question(text, around.client)


def _server_question(name: str) -> _Question:
    text = (
        "Where do their sessions live?",
        "   1  in your own tmux server, among your other sessions",
        f"   2  in one of their own, out of your way (tmux -L {server_name(name)})",
    )
    return _Question(text, "1")


def _allowed_question() -> _Question:
    text = (
        "What may teamops do by itself? It tells you in any case.",
        "   1  poke an agent when its turn comes; restart one that died or hangs",
        "   2  poke; restart only one that died",
        "   3  poke; restart nothing",
        "   4  nothing",
    )
    return _Question(text, "1")


class _Interview:
    """Asks one question after the other, as far as options don't answer them."""

    def __init__(self, ask: Callable[[str], str] | None) -> None:
        self._ask = ask
        self._asked = 0

    def answer(self, question: _Question, option: str, given: str | None, read: Callable[[str], T]) -> T:
        """Return the value of one answer; a person is asked until it can be used. Raises ``UsageError``."""
        if given is not None or self._ask is None:
            try:
                return read(question.default if given is None else given)
            except Unclear as error:
                raise UsageError(f"{option}: {error}", "teamops init --help says what it takes") from error
        self._asked += 1
        click.echo("\n".join(("", f"{self._asked}. {question.text[0]}", *question.text[1:])))
        while True:
            try:
                return read(self._ask(f"   [{question.default}] ") or question.default)
            except Unclear as error:
                click.echo(f"   {error}")


def shown_team(team: Team) -> str:
    """Return who runs what, on one line: ``DIRECTOR claude, REVIEWER codex``."""
    return ", ".join(f"{role} {clean_line(shlex.split(command)[0], 30)}" for role, command in team.roles)
