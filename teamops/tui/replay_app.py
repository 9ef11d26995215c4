"""The screen on a recorded day: the same screens, with a time bar over their key bars, and no hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from textual.binding import Binding
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from teamops.config.settings import Settings
from teamops.model.agent import AgentView
from teamops.model.replay import Recording
from teamops.model.snapshot import Intent, Snapshot, SupervisorPort
from teamops.tui import keys
from teamops.tui.app import Colours, TeamopsApp
from teamops.tui.rules import replay_words
from teamops.tui.screens.base import TeamScreen
from teamops.tui.widgets.timebar import TimeBar

SPEEDS: Final = (1, 10, 60, 600)
FRAME_S: Final = 0.25
"""While it plays, a moment is shown so often; while it is paused, nothing wakes up."""
FAREWELL: Final = "teamops: the replay is closed; nothing was done."


class RecordedPort(SupervisorPort, Recording, Protocol):
    """A port on a recorded day."""


def _bindings() -> list[Any]:
    # Space goes down a page in lists; while a day is replayed it plays, wherever the focus is but in a text.
    return [
        replace(one, priority=True) if isinstance(one, Binding) and one.key == "space" else one
        for one in keys.bindings(keys.Where.REPLAY)
    ]


class ReplayApp(TeamopsApp):
    """Plays a recorded day, from the moment on that its port shows."""

    BINDINGS = _bindings()
    CSS = TeamopsApp.CSS + "ToastRack { margin-bottom: 3; }"

    def __init__(
        self,
        port: RecordedPort,
        settings: Settings,
        *,
        colours: Colours = "auto",
        speed: int = SPEEDS[0],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(port, settings, None, colours=colours, farewell=FAREWELL, monotonic=monotonic)
        self.recording: Recording = port
        self.speed = speed
        self._clockwork: Timer | None = None
        """Runs while it plays."""
        self._played_at = 0.0
        self._going = False
        """A moment is on its way."""
        self._wanted: float | None = None
        """Where to go as soon as that one is there."""

    @property
    def playing(self) -> bool:
        """Time goes by."""
        return self._clockwork is not None

    @property
    def wall(self) -> float:
        """The moment that is shown, or on its way."""
        return self.snapshot.stamp.wall if self._wanted is None else self._wanted

    def watch_for_news(self) -> None:
        """Watch for none: a paused day has no news, and nobody is to be woken."""

    def on_snapshot_arrived(self) -> None:
        """Show the newest snapshot, and its moment in the bars."""
        super().on_snapshot_arrived()
        self._show_bars()
        if isinstance(self.screen, TeamScreen):
            self.screen.look_again()

    def dress(self, screen: Screen[None]) -> None:
        """Give a screen its time bar."""
        if not screen.query(TimeBar):
            bar = TimeBar(self.palette, self.recording.day)
            self._fill(bar)
            screen.mount(bar)

    def _show_bars(self) -> None:
        for screen in self.screen_stack:
            for bar in screen.query(TimeBar):
                self._fill(bar)

    def _fill(self, bar: TimeBar) -> None:
        replayed = self.snapshot.replay
        gap = replayed.unobserved if replayed is not None else None
        words = "" if gap is None else " to ".join(self.recording.clock(edge)[:5] for edge in gap)
        clock = replayed.clock if replayed is not None else ""
        bar.show(self.snapshot.stamp.wall, clock, words, speed=self.speed, playing=self.playing)

    # Time.

    def go_to_moment(self, wall: float) -> None:
        """Show another moment; of those asked for meanwhile only the last is shown."""
        day = self.recording.day
        self._wanted = min(max(wall, day.since_wall), day.until_wall)
        if not self._going:
            self._set_out()

    def _set_out(self) -> None:
        if self._wanted is not None:
            self._going = True
            self.ask("replay", partial(self.recording.go, self._wanted), self._arrived, failed=self._not_arrived)

    def _arrived(self, snapshot: Snapshot) -> None:
        self._going = False
        if self._wanted is not None and abs(snapshot.stamp.wall - self._wanted) > 1e-6:
            self._set_out()
        else:
            self._wanted = None

    def _not_arrived(self) -> None:
        self._going, self._wanted = False, None
        self._pause()

    def _frame(self) -> None:
        now = self._monotonic()
        passed, self._played_at = now - self._played_at, now
        wall = self.wall + passed * self.speed
        if wall >= self.recording.day.until_wall:
            self._pause()
            self.tell("The record ends here.", "@ goes to another time")
        self.go_to_moment(wall)

    def _pause(self) -> None:
        if self._clockwork is not None:
            self._clockwork.stop()
            self._clockwork = None
            self._show_bars()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Space to who is writing a text."""
        if action == "play" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_play(self) -> None:
        """Play, or pause."""
        if self.playing:
            self._pause()
        elif self.wall >= self.recording.day.until_wall:
            self.refuse("The record ends here: @ goes to another time.")
        else:
            self._played_at = self._monotonic()
            self._clockwork = self.set_interval(FRAME_S, self._frame, name="replay")
            self._show_bars()

    def action_earlier(self, seconds: int = 60) -> None:
        """Go back."""
        self.go_to_moment(self.wall - seconds)

    def action_later(self, seconds: int = 60) -> None:
        """Go on."""
        self.go_to_moment(self.wall + seconds)

    def action_much_earlier(self) -> None:
        """Go back by ten minutes."""
        self.action_earlier(600)

    def action_much_later(self) -> None:
        """Go on by ten minutes."""
        self.action_later(600)

    def action_later_alert(self) -> None:
        """Go to where the next alert fires."""
        self._to_mark(later=True, alerts=True)

    def action_earlier_alert(self) -> None:
        """Go to where the alert before fired."""
        self._to_mark(later=False, alerts=True)

    def action_later_mark(self) -> None:
        """Go to what happened next."""
        self._to_mark(later=True, alerts=False)

    def action_earlier_mark(self) -> None:
        """Go to what happened before."""
        self._to_mark(later=False, alerts=False)

    def _to_mark(self, *, later: bool, alerts: bool) -> None:
        day = self.recording.day
        mark = day.next_mark(self.wall, alerts=alerts) if later else day.mark_before(self.wall, alerts=alerts)
        if mark is None:
            what = "alert fires" if alerts else "light, restart or alert comes"
            self.refuse(f"No {what} {'after' if later else 'before'} this moment on {day.day}.")
            return
        self._pause()
        self.go_to_moment(mark.wall)

    def action_faster(self) -> None:
        """Let time go by faster."""
        self._set_speed(1)

    def action_slower(self) -> None:
        """Let time go by slower."""
        self._set_speed(-1)

    def _set_speed(self, steps: int) -> None:
        place = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - self.speed)) + steps
        self.speed = SPEEDS[min(len(SPEEDS) - 1, max(0, place))]
        self._show_bars()

    def action_go_to(self) -> None:
        """Ask for a time to go to."""
        from teamops.tui.screens.jump import JumpWindow

        self.push_screen(JumpWindow(self.palette, self.recording))

    # Nothing is done.

    def intend(self, intent: Intent, doing: str) -> None:  # noqa: ARG002 - the app's own signature
        """Refuse it."""
        self.refuse(replay_words(self.snapshot))

    def attach(self, agent: AgentView | None) -> None:  # noqa: ARG002 - the app's own signature
        """Refuse it."""
        self.refuse(replay_words(self.snapshot))
