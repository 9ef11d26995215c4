"""The screen as lines of text."""

from __future__ import annotations

from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip


def strips_on(app: App[None]) -> list[Strip]:
    """Return what is on the screen now, line by line, with its styles."""
    app.screen._compositor.layers  # noqa: B018 - computed before it is drawn
    return app.screen._compositor.render_strips()


def lines_on(app: App[None]) -> list[str]:
    """Return what is on the screen now, line by line."""
    return [strip.text.rstrip() for strip in strips_on(app)]


def text_on(app: App[None]) -> str:
    """Return what is on the screen now."""
    return "\n".join(lines_on(app))


async def settle(pilot: Pilot[None]) -> None:
    """Wait until threads have answered and everything is drawn."""
    for _ in range(4):
        await pilot.pause()
        if not pilot.app.workers:
            return
        await pilot.app.workers.wait_for_complete()
