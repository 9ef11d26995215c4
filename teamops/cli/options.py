"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path

import click

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
