"""Prices usage by known rates, and looks up the missing ones in a short-lived process."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from teamops.model.price import OwnPrice
from teamops.model.usage import Usage
from teamops.usage.own_process import RATES as WORKER
from teamops.usage.own_process import own_environment
from teamops.usage.rates import Rates, cost, from_json, own_rates

Key = tuple[str, str]
"""A model and a day, UTC, as ISO text."""

TIMEOUT_S = 30.0
RETRY_S = 60.0
"""After a failed look-up, so long none is missing: a broken installation is not asked once a second."""
MAX_ASKED = 2000
"""Models and days in one look-up; the rest waits for the next."""


class Pricer:
    """The rates known so far. For one thread.

    ``known``: rates as JSON by (model, ISO day), as ``known()`` told them to an earlier life; unreadable ones are
    looked up again. ``own``: prices by model that hold instead.
    """

    def __init__(
        self,
        known: Mapping[Key, str | None] | None = None,
        *,
        own: Mapping[str, OwnPrice] | None = None,
        worker: Sequence[str] = WORKER,
        timeout_s: float = TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = tuple(worker)
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._texts: dict[Key, str | None] = {}
        self._rates: dict[Key, Rates | None] = {}
        self._own = {model: own_rates(price) for model, price in (own or {}).items()}
        self._missing: set[Key] = set()
        self._not_before = 0.0
        for key, text in (known or {}).items():
            self._learn(key, text)

    def price(self, usage: Usage) -> Decimal | None:
        """Return what ``usage`` costs in USD; ``None`` where its model has no known price, or none yet.

        A cost that the log itself names stands.
        """
        if usage.cost_usd is not None:
            return usage.cost_usd
        if not usage.model:
            return None
        own = self._own.get(usage.model)
        if own is not None:
            return cost(usage, own)
        key = (usage.model, day_of(usage.wall))
        if key not in self._rates:
            self._missing.add(key)
            return None
        rates = self._rates[key]
        return None if rates is None else cost(usage, rates)

    def missing(self) -> set[Key]:
        """Return what ``fetch_missing`` would look up now; nothing for a while after a failure."""
        return set(self._missing) if self._monotonic() >= self._not_before else set()

    def known(self) -> dict[Key, str | None]:
        """Return all rates as JSON, ``None`` for a model without a known price."""
        return dict(self._texts)

    async def fetch_missing(self) -> str:
        """Look up what is missing in a process of its own; return why it failed, or an empty text."""
        asked = sorted(self._missing)[:MAX_ASKED]
        if not asked:
            return ""
        try:
            texts = await self._ask(asked)
        except (OSError, ValueError, TimeoutError) as error:
            self._not_before = self._monotonic() + RETRY_S
            why = f"no answer within {self._timeout_s:.0f} s" if isinstance(error, TimeoutError) else str(error)
            return f"prices can't be looked up: {why}"
        for key, text in zip(asked, texts, strict=True):
            self._learn(key, text)
            # One that can't be read is not asked for again in this life: the answer would be the same.
            self._rates.setdefault(key, None)
        self._missing.difference_update(asked)
        return ""

    async def _ask(self, asked: Sequence[Key]) -> list[str | None]:
        process = await asyncio.create_subprocess_exec(
            *self._worker,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=own_environment(),
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                out, err = await process.communicate(json.dumps(asked).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            last = err.decode(errors="replace").strip().rpartition("\n")[2]
            raise ValueError(last or f"the look-up ended with status {process.returncode}")
        texts = json.loads(out)
        if not isinstance(texts, list) or len(texts) != len(asked):
            raise ValueError("the look-up answered something else")
        return [text if isinstance(text, str) else None for text in texts]

    def _learn(self, key: Key, text: str | None) -> None:
        if text is None:
            self._texts[key] = self._rates[key] = None
            return
        try:
            self._rates[key] = from_json(text)
        except ValueError:
            return
        self._texts[key] = text


def day_of(wall: float) -> str:
    """Return the day on which a price is asked for: ISO, UTC."""
    return datetime.fromtimestamp(wall, UTC).date().isoformat()
