"""Channels made ready, and one attempt to deliver one page by one of them: each ends in time and in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from teamops.effects.channels.port import Channel
from teamops.effects.channels.words import safe_line
from teamops.model.errors import TeamopsError
from teamops.model.page import Answer, Page, Receipt

DEFECT = "this is a defect of teamops: please report it"
START_S = 5.0
"""A channel that is not ready by then is told as such, and tried with the next page even so."""


async def all_started(channels: Sequence[Channel], hear: Callable[[Answer], None]) -> dict[str, str]:
    """Make all ``channels`` ready, beside each other; return why those can't deliver that can't, by their names.

    Takes ``START_S`` at most. Never raises but for cancellation.
    """
    reasons = await asyncio.gather(*(_started(channel, hear) for channel in channels))
    return {channel.name: reason for channel, reason in zip(channels, reasons, strict=True) if reason}


async def _started(channel: Channel, hear: Callable[[Answer], None]) -> str:
    try:
        async with asyncio.timeout(START_S):
            return await channel.start(hear)
    except TimeoutError:
        return f"{channel.name} was not ready within {START_S:g} s"
    except Exception as error:  # noqa: BLE001 - a channel's port: it is told, and the others go on
        return safe_line(f"{channel.name}: {type(error).__name__}: {error}")


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
