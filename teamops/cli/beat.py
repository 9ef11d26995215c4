"""``teamops beat`` and ``teamops hook``: what agents and their clients call.

Typed as the first word they never come here: ``cli.main`` takes a shorter way that loads no command line's library.
"""

from __future__ import annotations

import click

_RAW = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": ["--click-help"]}


@click.command(context_settings=_RAW)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def beat(words: tuple[str, ...]) -> int:
    """Say from a shell loop that this agent lives, and what it does: see teamops beat --help."""
    from teamops.sdk.shell import main

    return main(list(words))


@click.command(context_settings=_RAW)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def hook(words: tuple[str, ...]) -> int:
    """Take a client's hook EVENT, with its JSON on standard input, into the agent's spool. Always ends with 0."""
    from teamops.guard.hook import main

    return main(list(words))
