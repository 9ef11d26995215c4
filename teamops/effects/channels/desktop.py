"""The channel ``desktop``: notifications over the desktop's bus, confirmed by its daemon."""

from __future__ import annotations

from collections.abc import Callable

from teamops.effects.desktop import Desktop, DesktopTrouble
from teamops.model.page import Answer, Page, Receipt

HINT = "start a notification daemon in this session (dunst, mako, your desktop's own)"


class DesktopChannel:
    """Fulfils ``port.Channel``. The later page of a thread takes the place of the earlier one."""

    name = "desktop"
    limit_s = 10.0

    def __init__(self, desktop: Desktop | None = None) -> None:
        self._desktop = desktop or Desktop()

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - it carries no answers
        """Find out whether somebody shows notifications here."""
        try:
            await self._desktop.probe()
        except DesktopTrouble as trouble:
            return trouble.reason
        return ""

    async def deliver(self, page: Page) -> Receipt:
        """Show ``page``."""
        do = f"{page.do[:1].upper()}{page.do[1:]}"
        body = f"{page.body}\n{do}" if do else page.body
        try:
            who = await self._desktop.send(page.title, body, critical=page.critical)
        except DesktopTrouble as trouble:
            return Receipt(ok=False, message=trouble.reason, retry=not trouble.absent, absent=trouble.absent, hint=HINT)
        return Receipt(ok=True, message="desktop notification shown", evidence=f"taken by {who}")

    async def close(self) -> None:
        """Leave the bus."""
        await self._desktop.close()
