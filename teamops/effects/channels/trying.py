"""One attempt to deliver one page by one channel, which ends in time and in a receipt."""

from __future__ import annotations

import asyncio

from teamops.effects.channels.port import Channel
from teamops.effects.channels.words import safe_line
from teamops.model.errors import TeamopsError
from teamops.model.page import Page, Receipt

DEFECT = "this is a defect of teamops: please report it"


async def attempted(channel: Channel, page: Page) -> Receipt:
    """Return how one attempt to deliver ``page`` by ``channel`` ended. Never raises but for cancellation."""
    try:
        async with asyncio.timeout(channel.limit_s):
            return await channel.deliver(page)
    except TimeoutError:
        return Receipt(ok=False, message=f"no answer within {channel.limit_s:g} s", retry=True)
    except TeamopsError as error:
        return Receipt(ok=False, message=safe_line(error.message), hint=error.hint)
    except Exception as error:  # noqa: BLE001 - a channel's port: becomes a receipt that a person sees
        return Receipt(ok=False, message=safe_line(f"{type(error).__name__}: {error}"), hint=DEFECT)
