"""``teamops guard install-git-hook, pre-commit``: git asks before a role's commit."""

from __future__ import annotations

from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.own_act import record_own
from teamops.cli.person import refuse_agents
from teamops.cli.place import settings_of


@click.command("install-git-hook")
@click.option("--yes", is_flag=True, help="Don't ask.")
@project_option
@state_option
def install_git_hook(root: Path | None, state_dir: Path | None, *, yes: bool) -> None:
    """Install a pre-commit hook that refuses what a role may not change. Your own commits pass.

    A hook of yours is never touched: then the line is printed that it may run.
    """
    from teamops.cli.team import confirm
    from teamops.effects.git_hook import install
    from teamops.supervisor.lease import state_dir_of

    settings = settings_of(root)
    refuse_agents("teamops guard install-git-hook", settings)
    if not yes:
        confirm(f"Install a pre-commit hook in the repository of {settings.root}?", "guard install-git-hook", yes=False)

    def announce(path: Path, data: bytes) -> None:
        record_own(settings, state_dir, "guard install-git-hook", [(path, data, None)])

    click.echo(install(settings.root, state_dir_of(settings, state_dir).absolute(), announce))


@click.command("pre-commit")
@project_option
@state_option
def pre_commit(root: Path | None, state_dir: Path | None) -> int:
    """Judge what is staged by the policy of the role in TEAMOPS_ROLE. Ends with 1 where it may not be committed.

    Call it in the top of the work tree, as git does. Without TEAMOPS_ROLE it is your own commit, and passes.
    """
    from teamops.guard.git_hook import main
    from teamops.supervisor.lease import state_dir_of

    return main([str(state_dir_of(settings_of(root), state_dir).absolute())])
