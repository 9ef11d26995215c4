"""``teamops append``: a block, written only if it keeps the protocol."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from teamops.cli.asking import ask_for, has_to_ask
from teamops.cli.draft import Words, role_in
from teamops.cli.options import project_option, state_option
from teamops.cli.place import near, settings_of
from teamops.cli.writing import Refused, Written, write
from teamops.model.errors import EXIT_OK, TeamopsError, UsageError
from teamops.model.text import clean_line
from teamops.report.append import refusal_json, said_lines, written_json

if TYPE_CHECKING:
    from teamops.cli.announcing import Told
    from teamops.config.settings import Settings


@click.command()
@click.option("--role", help="Whose block it is (default: TEAMOPS_ROLE).")
@click.option("--status", help="done, in progress, blocked…")
@click.option("--turn", help="Who may work next: a role, HUMAN, or NONE.")
@click.option("--tier", type=click.IntRange(1, 3), help="The task's tier (default: as it is).")
@click.option("--task", help="The task's name (default: the one whose light the role holds).")
@click.option("--verdict", help="Of a review: approved, changes-requested.")
@click.option("--gates", help='"runs=pass (pytest -q: 212 passed); correct=pass (…); complete=pass (…)".')
@click.option("--section", "sections", multiple=True, help='"Title=text"; - as the text is standard input.')
@click.option("--force", is_flag=True, help="Write it although the rules refuse it; recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.append/1.")
@project_option
@state_option
def append(
    root: Path | None, state_dir: Path | None, *, force: bool, as_json: bool, sections: tuple[str, ...], **given: Any
) -> int:
    """Append one block to the handoff file, if it keeps the protocol, and poke who is next.

    A whole block comes on standard input (teamops append < block.md), or the options say its fields and --section its
    text; without --section standard input is the text. What breaks a rule is refused with its code, and nothing is
    written. Exit code 1 if it is refused, 2 on wrong use.
    """
    from teamops.effects.around import own_role, roles_around
    from teamops.effects.confine import CONFINED

    words = Words(sections=sections, **given)
    settings: Settings | None = None
    try:
        role = role_in(words, os.environ.get("TEAMOPS_ROLE", ""))
        settings = _settings(root)
        around = roles_around(settings)
        role = own_role(role, around)
        inside = bool(around or os.environ.get(CONFINED))
        if inside and has_to_ask(settings, force=force):
            return ask_for(settings, words, role, force=force, as_json=as_json)
        if not inside:
            _answer_others(settings, state_dir)
        written = write(settings, state_dir, words, role, force=force)
    except TeamopsError as error:
        if not as_json:
            raise
        judgement = error.judgement if isinstance(error, Refused) else None
        path = None if settings is None else settings.handoff
        _say_json(refusal_json(path, error, judgement, whole=words.whole))
        return error.exit_code
    from teamops.cli.announcing import announce

    told = announce(settings, state_dir, written.judgement)
    if as_json:
        answer = written_json(settings.handoff, written.judgement, made=written.made, whole=words.whole)
        _say_json(answer | {"announced": {"how": told.how, "message": told.message}})
    else:
        _say(settings, written, told, whole=words.whole)
    return EXIT_OK


def _answer_others(settings: Settings, state_dir: Path | None) -> None:
    """Do first what agents ask for that can't write: nobody may be there who supervises."""
    if os.environ.get("TEAMOPS_ANSWERING") or not any(settings.spool.glob("*/*.request")):
        return
    from teamops.effects.asked import answer_all

    for line in answer_all(settings, state_dir):
        click.echo(line, err=True)


def _say(settings: Settings, written: Written, told: Told, *, whole: bool) -> None:
    judgement = written.judgement
    for line in said_lines(judgement.warned, judgement, whole=whole):
        click.echo(line.removeprefix("  "), err=True)
    if written.made:
        click.echo(f"made {settings.handoff.name} in {settings.handoff.parent}")
    block = judgement.block
    task = f" (task {clean_line(block.task, 60)})" if block.task else ""
    click.echo(f"{near(settings.handoff)}:{block.line} [{block.role}] → {block.turn or '?'}{task}")
    if written.forced:
        click.echo(f"written by force against {written.forced}; that is recorded")
    click.echo(told.message)


def _say_json(answer: dict[str, Any]) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _settings(root: Path | None) -> Settings:
    """Return the settings of the project that is meant: the named one, the agent's own, or that of this folder.

    Raises ``UsageError`` where neither this folder nor one above it is a project, nor looks like the root of one. An
    agent that went astray would otherwise begin a file that nobody reads.
    """
    project = os.environ.get("TEAMOPS_PROJECT")
    named = root or (Path(project) if project and Path(project).is_dir() else None)
    settings = settings_of(named)
    found = settings.source is not None or settings.handoff.exists() or (settings.root / ".git").exists()
    if named is not None or found:
        return settings
    above = next((folder for folder in settings.root.parents if (folder / ".git").exists()), None)
    where = f"-C {above}, or -C . for this folder" if above else "-C ., if it is this folder"
    raise UsageError(
        f"there is no teamops.toml and no {settings.handoff.name} in {settings.root} or above it",
        f"name the project's folder, and {settings.handoff.name} is made there: {where}",
    )
