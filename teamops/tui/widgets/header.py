"""The header: team, light, pipeline. What a person wants to know at a glance from across the room."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from teamops.model.budget import TEAM, Level
from teamops.model.snapshot import LightState, LightView, Snapshot
from teamops.tui import boundary_words, words
from teamops.tui.faults import Faults
from teamops.tui.stepper import steppers
from teamops.tui.strips import Line, changed, spread
from teamops.tui.theme import Palette

MOST_LIGHTS = 3
"""Further lights listed where there is room."""
TINY = 48
"""Below so many cells the light has no countdown, but still a holder."""
LEAST_GAUGE = 6
ROOMY_TOP = 76
"""From so many cells on the mark of the notes says where they are."""
WIDE_TOP = 96
"""From so many cells on the day of a replay stands at the top, too."""
NOTE_S = 10.0
"""So long, in observed seconds, a note of what works in a lesser way has a line of its own; then a mark is left."""


class Header(Widget):
    """Two to seven lines, drawn from the newest snapshot."""

    DEFAULT_CSS = "Header { dock: top; height: 3; }"

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="header")
        self.palette = palette
        self.roomy = False
        self.news_age_s = 0.0
        self._snapshot: Snapshot | None = None
        self._faults = Faults()
        self._strips: list[Strip] = []
        self._noted: dict[str, float] = {}
        """Each note, and the observed second when it was first shown."""

    def show(self, snapshot: Snapshot, *, roomy: bool, news_age_s: float = 0.0) -> None:
        """Show ``snapshot``; ``news_age_s``: seconds since it came, said once that is too long."""
        self._snapshot, self.roomy, self.news_age_s = snapshot, roomy, news_age_s
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return strip.apply_style(self.rich_style)

    def _draw(self) -> None:
        if self._snapshot is None or not self.size.width:
            return
        width = self.size.width
        old, self._strips = self._strips, [line.strip(width) for line in self.lines(self._snapshot, width)]
        if len(old) != len(self._strips):
            self.styles.height = len(self._strips)
            self.refresh()
            return
        for y, (before, now) in enumerate(zip(old, self._strips, strict=True)):
            span = changed(before, now)
            if span is not None:
                self.refresh(Region(span[0], y, span[1] - span[0], 1))

    def lines(self, snapshot: Snapshot, width: int) -> list[Line]:
        """Return the header's lines for ``snapshot`` in ``width`` cells."""
        lights = words.by_urgency(snapshot.lights)
        lines = [self._team(snapshot, width)]
        if lights:
            lines += [self._light(lights[0], width), self._pipeline(lights[0], len(lights) - 1, width)]
            if self.roomy:
                lines += [self._light(light, width, small=True) for light in lights[1 : 1 + MOST_LIGHTS]]
        else:
            lines += self._no_light(snapshot)
        if dead := self._unsupervised(snapshot):
            lines.append(Line().add(" ✗ ", self.palette.bad).add(dead, self.palette.bad, max(1, width - 4)))
        trouble = [snapshot.handoff_trouble] if snapshot.handoff_trouble else []
        trouble += self._fresh_notes(snapshot)
        if trouble:
            more = f"  (+{len(trouble) - 1} more)" if len(trouble) > 1 else ""
            style = self.palette.bad if snapshot.handoff_trouble else self.palette.warn
            lines.append(Line().add(" ▲ ", style).add(trouble[0], style, max(1, width - 4 - len(more))).add(more))
        return lines

    def _fresh_notes(self, snapshot: Snapshot) -> list[str]:
        """Return the notes that came lately: one that stays is told once, and then costs no line."""
        now = snapshot.stamp.now
        self._noted = {note: self._noted.get(note, now) for note in snapshot.troubles}
        return [note for note, since in self._noted.items() if now - since < NOTE_S]

    def _team(self, snapshot: Snapshot, width: int) -> Line:
        colours = self.palette
        left = Line().add(" teamops ", colours.chip).add(f" {snapshot.project} ", colours.strong)
        right = Line()
        if self.news_age_s:
            right.add(f"▲ no news for {words.age(self.news_age_s)}", colours.bad).add("  ")
        hidden = len(snapshot.troubles) - len(self._fresh_notes(snapshot))
        if hidden:
            notes = f"~ {words.number_of(hidden, 'note')} in ?" if width >= ROOMY_TOP else f"~{hidden}"
            right.add(notes, colours.warn).add("  ")
        right.put(self._who_acts(snapshot, width)).add("  ")
        number = sum(alert.listed for alert in snapshot.alerts)
        if number:
            right.add(f"▲ {words.number_of(number, 'alert')}", colours.bad)
        else:
            right.add("✓ no alerts", colours.ok)
        cost = words.money(snapshot.cost_today_usd, snapshot.unpriced_tokens)
        right.add("  today ", colours.faint).add(cost, colours.warn if "?" in cost else colours.strong)
        right.put(self._budget(snapshot, width)).add(" ")
        for wrong in self._wrong(snapshot, width):
            if left.width + wrong.width + right.width < width:
                right = wrong.put(right)
                break
        return spread(left, right, width)

    def _wrong(self, snapshot: Snapshot, width: int) -> list[Line]:
        """Return what got past a boundary and what is to be mended, the words that say most first."""
        crossed, colours = boundary_words.open_ones(snapshot), self.palette
        if not crossed:
            return [self._to_mend(snapshot, width)]
        short = Line().add(f"{boundary_words.CROSSED}{crossed}  ", colours.bad)
        return [
            Line().add(f"{boundary_words.CROSSED} {crossed} past a boundary  ", colours.bad)
            .put(self._to_mend(snapshot, width)),
            Line().put(short).put(self._to_mend(snapshot, width)),
            Line().put(short).put(self._to_mend(snapshot, 0)),
            short,
        ]  # fmt: skip

    def _budget(self, snapshot: Snapshot, width: int) -> Line:
        """Return what the team may spend today; in a narrow terminal only once that is nearly spent."""
        team = next((line for line in snapshot.budgets if line.scope == TEAM), None)
        if team is None or team.day_limit_usd is None or (width < ROOMY_TOP and team.level is Level.FINE):
            return Line()
        colours = self.palette
        style = {Level.FINE: colours.faint, Level.SOFT: colours.warn, Level.HARD: colours.bad}[team.level]
        return Line().add(f" of {words.money(team.day_limit_usd, 0)}", style)

    def _to_mend(self, snapshot: Snapshot, width: int) -> Line:
        """Return how much is to be mended in the handoff file, with the sign of the gravest."""
        wrong = self._faults.to_mend(snapshot)
        if not wrong:
            return Line()
        symbol, style = words.SEVERITIES[wrong[0].severity]
        number = f"{symbol} {len(wrong)} to mend" if width >= ROOMY_TOP else f"{symbol}{len(wrong)}"
        return Line().add(number, self.palette.named(style)).add("  ")

    def _who_acts(self, snapshot: Snapshot, width: int) -> Line:
        view, colours = snapshot.supervisor, self.palette
        if snapshot.replay is not None:
            # In a narrow terminal the day stands in the time bar alone.
            day = f"{snapshot.replay.day} " if width >= WIDE_TOP else ""
            return Line().add(f" REPLAY {day}{snapshot.replay.clock} ", colours.chip)
        if view.ended:
            return Line().add("✗ SUPERVISOR ENDED", colours.bad)
        if not snapshot.ready:
            return Line().add("◔ reading", colours.info)
        if view.watch_only:
            return Line().add("○ watch only", colours.warn)
        if view.acting:
            return Line().add("● acting", colours.ok)
        if view.pid is None:
            return Line().add("✗ NO SUPERVISOR", colours.bad)
        if view.hangs:
            return Line().add(f"✗ SUPERVISOR {view.pid} HANGS", colours.bad)
        return Line().add(f"○ viewer, {view.pid} acts", colours.info)

    def _unsupervised(self, snapshot: Snapshot) -> str:
        """Return what a person must know where nobody supervises; empty where somebody does."""
        view = snapshot.supervisor
        if snapshot.replay is not None:
            return ""
        if view.ended:
            return f"this supervisor has ended: nothing is seen, poked or restarted. Start teamops again. {view.ended}"
        if not snapshot.ready or view.watch_only:
            return ""
        if view.hangs and view.round_age_s is not None:
            since = words.age(view.round_age_s)
            return (
                f"the supervisor (pid {view.pid}) hangs: no round for {since}. Nothing is poked or restarted. "
                f"End it (kill -9 {view.pid}): this one takes over"
            )
        if view.pid is None and not view.acting:
            return "no supervisor runs: nothing is poked, restarted or stopped. Run: teamops watch"
        return ""

    def _light(self, light: LightView, width: int, *, small: bool = False) -> Line:
        colours = self.palette
        symbol, word, style = words.light_words(light)
        loud = colours.named(style)
        left = Line().add("   " if small else " ▶ ", colours.accent)
        left.add(light.role, colours.text if small else colours.strong)
        if light.name:
            left.add(f" {light.name}", colours.dim if small else colours.text)
        left.add("  ").add(light.task or "(no task named)", colours.dim)
        if small and light.tier is not None:
            left.add(f" · tier {light.tier} · {light.stage}", colours.faint)
        right = Line().add(f"{symbol} {word}", loud)
        if width >= TINY:
            right.add(f" {words.countdown(light)}", loud)
        # Whose turn it is, and on what, matters more than how far the gauge has run.
        gauge = min(12 if width < 110 else 26, width - left.width - right.width - 3)
        if light.state is not LightState.HUMAN and not small and gauge >= LEAST_GAUGE:
            right.add(" ").put(self._gauge(light, gauge))
        return spread(left, right.add(" "), width)

    def _gauge(self, light: LightView, width: int) -> Line:
        """Return how much of the stale limit has run off, with the waiting limit marked."""
        limit = max(1.0, light.stale_after_s)
        full = min(width, int(light.unanswered_s / limit * width))
        mark = min(width - 1, int(light.waiting_after_s / limit * width))
        style = self.palette.named(words.light_words(light)[2])
        scale = "─" * mark + "┿" + "─" * (width - mark - 1)
        return Line().add("━" * full, style).add(scale[full:], self.palette.faint)

    def _pipeline(self, light: LightView, more: int, width: int) -> Line:
        colours = self.palette
        light_age = f"light {words.age(light.age_s)}"
        place = f" · line {light.line}"
        others = f" · +{more} more " if more else " "
        cost = words.money(light.cost.cost_usd, light.cost.unpriced_tokens)
        costs = f"{light_age} · {cost}" if light.cost.responses else light_age
        brief = costs.removeprefix("light ") if light.cost.responses else light_age
        left, tail = Line(), ""
        for steps in steppers(light.tier, light.stage, light.stages, light.rounds, light.standing, colours):
            left = Line().add("   ").put(steps)
            for tail in (costs + place, costs, brief, light_age):
                if left.width + len(tail + others) < width:
                    return spread(left, Line().add(tail, colours.dim).add(others, colours.warn), width)
        return spread(left, Line().add(tail, colours.dim).add(others, colours.warn), width)

    def _no_light(self, snapshot: Snapshot) -> list[Line]:
        colours = self.palette
        if not snapshot.ready:
            what = "Reading the handoff file, the agents' sessions and their logs…"
            then = f"   {snapshot.handoff_path}"
        elif snapshot.blocks:
            what = "No open task: every light is out."
            then = "   The next block with a Turn field gives the light to that role."
        else:
            what = "No handoff yet."
            then = "   The light goes on with the first block that has a Turn field."
        return [Line().add(" ○ ", colours.dim).add(what, colours.text), Line().add(then, colours.dim)]
