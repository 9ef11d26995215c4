"""An agent as a card: its hour of beats, its tokens, the curve of what it cost."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from teamops.model.agent import AgentView
from teamops.tui import boundary_words, words
from teamops.tui.strips import Line, fit, spread
from teamops.tui.theme import Palette

CARD_HEIGHT = 6
TALL_CARD_HEIGHT = 7
"""With a line for what the agent said last."""

_LIGHT_BOX = "╭─╮│╰╯"
_HEAVY_BOX = "┏━┓┃┗┛"


def draw_card(agent: AgentView, width: int, height: int, palette: Palette, *, chosen: bool) -> list[Strip]:
    """Return the ``height`` lines of an agent's card, one blank cell at its right."""
    inner = max(1, width - 5)
    box = _HEAVY_BOX if chosen else _LIGHT_BOX
    edge = palette.accent if chosen or agent.lights else palette.rule
    lines = [_state_line(agent, inner, palette), *_strips(agent, inner, palette)]
    if height >= TALL_CARD_HEIGHT:
        said = f"“{agent.message}”" if agent.message else ""
        lines.append(Line().add(said, palette.dim, inner))
    strips = [_top(agent, width, box, edge, palette)]
    strips += [
        Line().add(f"{box[3]} ", edge).put(line).to(width - 3).add(f" {box[3]}", edge).strip(width)
        for line in lines[: height - 2]
    ]
    strips += [Strip.blank(width)] * (height - 1 - len(strips))
    strips.append(_bottom(agent, width, box, edge, palette))
    return strips


def _top(agent: AgentView, width: int, box: str, edge: Style, palette: Palette) -> Strip:
    line = Line().add(box[0] + box[1], edge)
    if agent.lights:
        line.add(" ▶ TURN", palette.accent)
    who = f" {agent.role} "
    line.add(fit(who, min(cell_len(who), width - line.width - 4)), palette.strong)
    if agent.name and width - line.width - 5 > cell_len(agent.name):
        line.add(f"{agent.name} ", palette.text)
    client = f" {agent.client} " if agent.client else ""
    right = Line().add(client, palette.faint) if width - line.width - 4 > cell_len(client) else Line()
    line.add(box[1] * (width - 3 - line.width - right.width), edge).put(right)
    return line.add(box[1] + box[2], edge).strip(width)


def _state_line(agent: AgentView, inner: int, palette: Palette) -> Line:
    symbol, style = words.STATES[agent.state]
    left = Line().add(f"{symbol} {words.state_words(agent)}", palette.named(style))
    why = words.evidence(agent)
    detail = f" · {agent.evidence.detail}" if agent.evidence.detail else ""
    room = inner - left.width - 2
    if room < cell_len(why):
        return spread(left, Line(), inner)
    right = Line().add(why, palette.dim)
    if detail and room - right.width > 6:
        right.add(detail, palette.faint, min(cell_len(detail), room - right.width))
    return spread(left, right, inner)


def _strips(agent: AgentView, inner: int, palette: Palette) -> list[Line]:
    beat = f"{words.age(agent.beat_age_s)} ago" if agent.beat_age_s is not None else agent.last_beat
    rate = f"{words.count(agent.tokens_per_min)}/min"
    cost = words.money(agent.cost_today_usd, agent.unpriced_tokens)
    width = max(4, min(60, inner - 7 - 10))
    rows = (
        ("beats", words.spark(agent.beats, width, peak=True), "beats", beat),
        ("tokens", words.spark(agent.tokens, width), "tokens", rate),
        ("cost", words.climb(agent.cost, width), "cost", cost),
    )
    lines = []
    for title, strip, style, value in rows:
        left = Line().add(title, palette.faint, 7).add(strip, palette.named(style))
        lines.append(spread(left, Line().add(value, palette.text), inner))
    return lines


def _bottom(agent: AgentView, width: int, box: str, edge: Style, palette: Palette) -> Strip:
    line = (
        Line()
        .add(box[4] + box[1], edge)
        .add(" rss ", palette.faint)
        .add(f"{words.size(agent.rss_bytes)} ", palette.dim)
    )
    if agent.badges:
        line.add(box[1], edge).add(f" {words.badges(agent)} ", palette.warn)
    if refused := boundary_words.blocked(agent):
        line.add(box[1], edge).add(f" {refused} ", palette.warn)
    if boundary_words.is_loose(agent):
        line.add(box[1], edge).add(" unheld ", palette.bad)
    if agent.restarts:
        line.add(box[1], edge).add(f" ↻ {agent.restarts} ", palette.warn)
    tasks = f" {', '.join(task or 'no task named' for task in agent.lights)} " if agent.lights else ""
    room = width - line.width - 4
    right = Line().add(tasks, palette.accent, min(cell_len(tasks), room)) if tasks and room > 6 else Line()
    line.add(box[1] * (width - 3 - line.width - right.width), edge).put(right)
    return line.add(box[1] + box[5], edge).strip(width)
