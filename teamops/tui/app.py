"""The app: takes snapshots from the port, gives intents to it, and never waits for it on the UI thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from textual.app import App, SuspendNotSupported
from textual.screen import Screen

from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.agent import AgentView
from teamops.model.alert import Alert
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.snapshot import AttachPlan, Intent, LogLine, Snapshot, StartRole, SupervisorPort
from teamops.tui.beside import beside
from teamops.tui.doors import Doors
from teamops.tui.messages import Answered, SnapshotArrived
from teamops.tui.rules import why_not
from teamops.tui.screens.base import TeamScreen, TeamWindow
from teamops.tui.screens.desk import Desk
from teamops.tui.theme import PLAIN_THEME, RICH_THEME, Palette, palette

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver

    from teamops.tui.search import BlockSearch

T = TypeVar("T")

Colours = Literal["auto", "rich", "plain"]

FAREWELL: Final = "teamops: the screen is closed, the agents keep running."
SLOW_ACT_S: Final = 0.3
"""An act that takes longer is said to be under way."""
NEWS_LATE_S: Final = 5.0
"""A snapshot comes every second; after so long without one the screen says that it shows the past."""


def _provider() -> type[Provider]:
    from teamops.tui.palette import ActProvider

    return ActProvider


class TeamopsApp(App[None]):
    """The screen on one team.

    ``run_attach`` runs an attach plan to its end (the screen itself starts no processes); raises ``TeamopsError``.
    ``colours``: ``plain`` keeps to the terminal's own sixteen, ``auto`` asks the terminal. ``farewell`` is the last
    word, printed when the person has left.
    """

    TITLE = "teamops"
    CSS = """
    ToastRack { align-horizontal: right; margin-bottom: 1; }
    Toast { width: 60; max-width: 90%; background: $panel; }
    """
    COMMANDS = {_provider}  # noqa: RUF012 - Textual declares it so
    BINDINGS = []  # noqa: RUF012 - all keys come from the registry, on the screens
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        port: SupervisorPort,
        settings: Settings,
        run_attach: Callable[[AttachPlan], None] | None = None,
        *,
        colours: Colours = "auto",
        farewell: str = FAREWELL,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        # Said at once: Textual chooses its filter for NO_COLOR before any theme is known.
        bare = colours == "plain" or (colours == "auto" and "NO_COLOR" in os.environ)
        super().__init__(ansi_color=True if bare else None)
        self.port = port
        self.settings = settings
        self.farewell = farewell
        self.on_drawn: Callable[[], None] = lambda: None
        """Called once, when the first frame is on the terminal."""
        self.snapshot = port.snapshot()
        self._run_attach = run_attach
        self._monotonic = monotonic
        self._newest: Snapshot | None = None
        self._news_at = monotonic()
        self._unsubscribe: Callable[[], None] | None = None
        self._tickets: dict[str, int] = {}
        self._search: BlockSearch | None = None
        self._doing: list[tuple[str, threading.Event]] = []
        plain = bare or (colours == "auto" and self.console.color_system in (None, "standard"))
        self.palette: Palette = palette(rich_colours=not plain)
        self.register_theme(RICH_THEME)
        self.register_theme(PLAIN_THEME)
        self.theme = PLAIN_THEME.name if plain else RICH_THEME.name
        self.animation_level = "none"
        self.doors = Doors(self)
        self.desk = Desk(self.palette, self.snapshot, self.size)

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver for this platform, on Linux and macOS one that lives through its terminal's end."""
        from textual.drivers.linux_driver import LinuxDriver

        from teamops.tui.terminal import TerminalDriver

        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def get_default_screen(self) -> Screen[object]:
        """Return the desk: no empty screen is drawn before it."""
        return self.desk  # type: ignore[return-value]  # Screen[None] serves where no result is awaited

    def on_mount(self) -> None:
        """Listen for snapshots."""
        self._unsubscribe = self.port.subscribe(self._take)
        self.call_after_refresh(self._tell_drawn)
        self.watch_for_news()

    def _tell_drawn(self) -> None:
        self.on_drawn()

    def watch_for_news(self) -> None:
        """Look every second whether snapshots still come."""
        self.set_interval(1.0, self._watch_news, name="news")

    def dress(self, screen: Screen[None]) -> None:
        """Give a screen that is shown what this app has beside it: nothing."""

    def go_to_moment(self, wall: float) -> None:
        """Show another moment: this one shows the present alone."""

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    # Snapshots: from any thread to one message.

    def _take(self, snapshot: Snapshot) -> None:
        waiting = self._newest is not None
        self._newest = snapshot
        if not waiting:
            self.post_message(SnapshotArrived())

    def on_snapshot_arrived(self) -> None:
        """Show the newest snapshot; those it has overtaken are never drawn."""
        snapshot, self._newest = self._newest, None
        if snapshot is None or snapshot.revision < self.snapshot.revision:
            return
        self.snapshot = snapshot
        self._news_at = self._monotonic()
        self.desk.tell_age(0.0)
        for screen in self.screen_stack:
            if isinstance(screen, (TeamScreen, TeamWindow)):
                screen.show(snapshot)

    def _watch_news(self) -> None:
        silence = self._monotonic() - self._news_at
        self.desk.tell_age(float(int(silence)) if silence >= NEWS_LATE_S else 0.0)

    # Queries: in a thread, answered by message, older answers dropped.

    def ask(
        self,
        group: str,
        query: Callable[[], T],
        answer: Callable[[T], None],
        *,
        failed: Callable[[], None] | None = None,
        refused: Callable[[TeamopsError], None] | None = None,
    ) -> None:
        """Run ``query`` in a thread and ``answer`` with its result on the UI thread, unless ``group`` asked again.

        An error is told as a note, then ``failed`` is called; with ``refused`` the asker shows the error itself.
        """
        ticket = self._tickets[group] = self._tickets.get(group, 0) + 1

        def run() -> Callable[[], None]:
            try:
                return partial(answer, query())
            except TeamopsError as error:
                return partial(refused, error) if refused else partial(self._failed, error, failed)
            except Exception as error:  # noqa: BLE001 - the port's edge: whatever it was, a person sees it
                odd = TeamopsError(f"{type(error).__name__}: {error}", "That should not happen: please report it.")
                return partial(refused, odd) if refused else partial(self._failed, odd, failed)

        async def wait() -> None:
            self.post_message(Answered(group, ticket, await beside(run, f"{group} {ticket}")))

        self.run_worker(wait(), name=f"{group} {ticket}", group=group, exit_on_error=False)

    def wanted(self, group: str, ticket: int) -> bool:
        """Return whether ``ticket`` is still the newest of ``group``."""
        return self._tickets.get(group) == ticket

    def drop(self, group: str) -> int:
        """Want no answer of ``group`` any more; return the newest ticket."""
        self._tickets[group] = self._tickets.get(group, 0) + 1
        return self._tickets[group]

    def on_answered(self, message: Answered) -> None:
        """Deliver an answer that is still wanted."""
        if self.wanted(message.group, message.ticket):
            message.deliver()

    def _failed(self, error: TeamopsError, then: Callable[[], None] | None) -> None:
        self.tell(error.message, error.hint, bad=True)
        if then is not None:
            then()

    def tell(self, message: str, hint: str = "", *, bad: bool = False) -> None:
        """Show a note to the person; outside text in it is no markup."""
        text = f"{'✖' if bad else '✓'} {message}" + (f"\n→ {hint}" if hint else "")
        self.notify(text, severity="error" if bad else "information", markup=False, timeout=8 if bad else 4)

    def refuse(self, reason: str) -> None:
        """Say why a key does nothing now."""
        told = f"▲ {reason}"
        if all(note.message != told for note in self._notifications):  # an impatient person needs it once
            self.notify(told, severity="warning", markup=False, timeout=6)

    # Intents.

    def intend(self, intent: Intent, doing: str) -> None:
        """Send ``intent`` and tell how it ended."""
        ended = threading.Event()
        self._doing = [*((act, end) for act, end in self._doing if not end.is_set()), (doing, ended)]

        def act() -> Outcome:
            try:
                return self.port.act(intent)
            finally:
                ended.set()

        self.set_timer(SLOW_ACT_S, partial(self._tell_under_way, doing, ended))
        self.ask(f"intent {intent!r}", act, partial(self._tell_outcome, getattr(intent, "role", "")))

    def _tell_under_way(self, doing: str, ended: threading.Event) -> None:
        if not ended.is_set():
            self.notify(f"… {doing}", markup=False, timeout=2)

    @property
    def doing(self) -> list[tuple[str, threading.Event]]:
        """What the person asked for and has not ended yet, each with the event of its end; also after ``run``."""
        return [(act, ended) for act, ended in self._doing if not ended.is_set()]

    def _tell_outcome(self, role: str, outcome: Outcome) -> None:
        # Several may be under way: each says whose it was.
        told = outcome.message if role in outcome.message else f"{role}: {outcome.message}"
        self.tell(told, outcome.hint, bad=not outcome.ok)

    def _refused(self, act_id: str, agent: AgentView | None) -> bool:
        reason = why_not(act_id, self.snapshot, agent)
        if reason:
            self.refuse(reason)
        return bool(reason)

    def open_poke(self, agent: AgentView | None) -> None:
        """Open the poke window."""
        if self._refused("poke", agent) or agent is None:
            return
        from teamops.tui.screens.poke import PokeWindow

        self.push_screen(PokeWindow(agent, self.palette))

    def open_restart(self, agent: AgentView | None) -> None:
        """Ask whether to restart."""
        if self._refused("restart", agent) or agent is None:
            return
        from teamops.tui.screens.restart import RestartWindow

        self.push_screen(RestartWindow(agent, self.palette))

    def start_agent(self, agent: AgentView | None) -> None:
        """Start the agent, or adopt what runs in its session."""
        if self._refused("start_agent", agent) or agent is None:
            return
        self.intend(StartRole(agent.role), f"Starting {agent.role}")

    def open_stop(self, agent: AgentView | None) -> None:
        """Ask whether to stop."""
        if self._refused("stop_agent", agent) or agent is None:
            return
        from teamops.tui.screens.stop import StopWindow

        self.push_screen(StopWindow(agent, self.palette))

    def open_lift(self, agent: AgentView | None) -> None:
        """Ask for the new limit of a held agent, or of the held team."""
        if self._refused("lift", agent) or agent is None:
            return
        from teamops.tui.screens.lift import LiftWindow

        self.push_screen(LiftWindow(agent, self.palette, self.snapshot))

    def open_detail(self, role: Role) -> None:
        """Open an agent's own screen."""
        from teamops.tui.screens.detail import Detail

        self.push_screen(Detail(role, self.palette, self.snapshot))

    def open_alert(self, alert: Alert) -> None:
        """Show an alert in full."""
        from teamops.tui.screens.reading import alert_window

        self.push_screen(alert_window(alert, self.palette))

    def open_event(self, row: object) -> None:
        """Show an event in full."""
        if isinstance(row, LogLine):
            from teamops.tui.screens.reading import event_window

            self.push_screen(event_window(row, self.palette))

    def open_help(self) -> None:
        """Show keys and symbols."""
        from teamops.tui.screens.reading import help_window

        self.push_screen(help_window(self.palette, self.snapshot.troubles))

    def leave(self) -> None:
        """Leave the screen, at once."""
        self.exit(message=self.farewell)

    async def run_act(self, act_id: str) -> None:
        """Do an act of the registry where the focus is: what its key would do."""
        target = self.screen.focused or self.screen
        for widget in target.ancestors_with_self:
            if hasattr(widget, "action_" + act_id.partition("(")[0]):
                await self.run_action(act_id, default_namespace=widget)
                return
        self.refuse("That can't be done here.")

    # Attach.

    def attach(self, agent: AgentView | None) -> None:
        """Go to an agent's session and come back."""
        if self._refused("attach", agent) or agent is None:
            return
        if self._run_attach is None:
            self.refuse("This screen can't attach.")
            return
        self.ask("attach", partial(self.port.attach, agent.role), self._go)

    def _go(self, plan: AttachPlan) -> None:
        run = self._run_attach
        if run is None:
            return
        if plan.switch:
            self.ask("attach", partial(run, plan), lambda _none: self.tell("Switched.", plan.back))
            return
        try:
            with self.suspend():
                run(plan)
        except SuspendNotSupported:
            self.tell("This terminal can't be handed over.", " ".join(plan.argv), bad=True)
        except TeamopsError as error:
            self.tell(error.message, error.hint, bad=True)
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    # Search in all blocks.

    def search_blocks(self, desk: Desk, wanted: str) -> None:
        """Find the blocks that have ``wanted`` (case-folded), in a thread, and show them; empty ends the search."""
        if not wanted:
            self._search = None
            self.drop("search")
            desk.handoff.show_hits("", None)
            return
        search = self._search
        if search is None or search.wanted != wanted:
            from teamops.tui.search import BlockSearch

            search = self._search = BlockSearch(wanted, self.port.block_text)
        ticket = self._tickets.get("search", 0) + 1
        self.ask(
            "search",
            partial(search.find, self.snapshot.blocks, lambda: self.wanted("search", ticket)),
            partial(desk.handoff.show_hits, wanted),
        )
