"""The command line's root: finds the command and loads only its file."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from teamops.model.errors import EXIT_OK, EXIT_USAGE, UsageError
from teamops.model.text import clean_line
from teamops.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("teamops.cli.demo:demo", "Watch a simulated team at work, in a private tmux server."),
    "init": ("teamops.cli.init:init", "Set up a team in this folder, by five questions or with --yes."),
    "watch": ("teamops.cli.watch:watch", "Supervise this folder's team without a screen."),
    "status": ("teamops.cli.status:status", "Say whose turn it is, who works, and what needs you."),
    "replay": ("teamops.cli.replay:replay", "Open the screen on a recorded day: what happened at 3 AM."),
    "check": ("teamops.cli.check:check", "Say in one line whether all is well: for cron and monitoring."),
    "service": ("teamops.cli.service:service", "Let the system start teamops watch, and watch over it."),
    "up": ("teamops.cli.team:up", "Start the team's agents, each in a tmux session of its own."),
    "down": ("teamops.cli.team:down", "Stop the agents that teamops started, in good order."),
    "stop": ("teamops.cli.team:stop", "Stop one agent in good order, and hold it until it is started again."),
    "budget": ("teamops.cli.budget:budget", "Show budgets; stop an agent's spending, and let it go on."),
    "poke": ("teamops.cli.poke:poke", "Type one line into an agent's client, and wait for the proof that it took it."),
    "restart": ("teamops.cli.act:restart", "Start an agent (again) in its own pane."),
    "run": ("teamops.cli.run:run", "Run a program inside a role's boundary, held by the kernel."),
    "attach": ("teamops.cli.act:attach", "Go to an agent's tmux session."),
    "append": ("teamops.cli.append:append", "Append a block to the handoff file, if it keeps the protocol."),
    "approve": ("teamops.cli.approve:approve", "Sign a task off, or send it back, after seeing its whole chain."),
    "handoff": ("teamops.cli.handoff:handoff", "Read, check and keep the handoff file."),
    "gate": ("teamops.cli.gate:gate", "Run the gates of done, and show what their last runs are worth."),
    "cost": ("teamops.cli.cost:cost", "Say what this team cost: by day, agent, model and task, and where that leads."),
    "report": ("teamops.cli.report:report", "Say what a day was like, of each agent and of the team."),
    "guard": ("teamops.cli.guard:guard", "Say what a role may change and run, and by which rule."),
    "ledger": ("teamops.cli.ledger:ledger", "What is remembered: how much, for other programs, tidied, proven."),
    "usage": ("teamops.cli.usage:usage", "Say what all clients used and what it cost, by day, agent, task…"),
    "doctor": ("teamops.cli.doctor:doctor", "Prove that each role's boundary holds today, and what teamops stands on."),
    "config": ("teamops.cli.config:config", "Check teamops.toml and the profiles."),
    "beat": ("teamops.cli.beat:beat", "Say from a shell loop that this agent lives, and what it does."),
    "hook": ("teamops.cli.beat:hook", "What the agents' clients call at each event of theirs."),
    "alerts": ("teamops.cli.alerts:alerts", "List what needs you; acknowledge or silence it."),
    "notify": ("teamops.cli.notify:notify", "Prove that notifications reach you."),
}
"""Name → (module:attribute, one line of help): help is listed without importing the commands."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry[0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(entry[0])
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that ``args`` begins with. Raises ``UsageError``, with the nearest name there is."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name.lower(), COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"commands: {', '.join(COMMANDS)}"
            raise UsageError(f'there is no command "{clean_line(name, 60)}"', f"{hint} See teamops --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="teamops")
@click.pass_context
def teamops(ctx: click.Context) -> None:
    """Watch a team of AI coding agents in tmux: whose turn it is, who works, what it costs, what needs you.

    Without a command: the screen on this folder's team.
    """
    if ctx.invoked_subcommand is None:
        from teamops.cli.screen import open_screen

        open_screen()


def run(words: Sequence[str]) -> int:
    """Run the command that ``words`` name and return its exit code.

    Raises ``TeamopsError``, ``KeyboardInterrupt``; wrong options are said here.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that can't show a sign is no reason to say nothing
    try:
        code = teamops.main(args=list(words), prog_name="teamops", standalone_mode=False)
    except SystemExit:
        if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # click's mark that a pipe's reader has gone
            return EXIT_OK
        raise
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return code if isinstance(code, int) else EXIT_OK
