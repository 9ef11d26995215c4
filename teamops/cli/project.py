"""Where a command's project is."""

from __future__ import annotations

from pathlib import Path

import click

from teamops.config.settings import Settings

project_option = click.option(
    "-C",
    "--project",
    "root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=None,
    help="The project's folder (default: this one, or the nearest above it with a teamops.toml or current.md).",
)
state_option = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    envvar="TEAMOPS_STATE_DIR",
    help="Where ledgers live (default: the user's state directory).",
)


def root_of(given: Path | None) -> Path:
    """Return the project's folder: the given one, else the nearest at or above this one that looks like one."""
    if given is not None:
        return given.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "teamops.toml").is_file() or (folder / "current.md").is_file():
            return folder
    return here


def settings_of(given: Path | None) -> Settings:
    """Return the settings of the project that ``given`` or this folder names."""
    from teamops.config.load import load

    return load(root_of(given))
