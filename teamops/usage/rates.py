"""What tokens cost: the rates of one model on one day, and the price of usage by them.

Source of the rules: genai-prices. A tier's price holds for all tokens of a response whose input side, cached tokens
included, is larger than the tier's start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from teamops.model.price import OwnPrice
from teamops.model.usage import Usage

FAST = "fast"


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens of one kind: (input side larger than, price), ascending; the first holds from 0 on."""

    tiers: tuple[tuple[int, Decimal], ...]

    def at(self, context: int) -> Decimal:
        """Return the price for a response with so many tokens on its input side."""
        price = self.tiers[0][1]
        for start, higher in self.tiers[1:]:
            if context > start:
                price = higher
        return price


@dataclass(frozen=True, slots=True)
class Card:
    """The prices of the five kinds of tokens."""

    input: Price
    output: Price
    cache_write: Price
    cache_write_1h: Price
    cache_read: Price


@dataclass(frozen=True, slots=True)
class Rates:
    """What one model costs on one day."""

    standard: Card
    fast: Card | None = None
    """With ``speed: fast``; ``None`` where the model has no such price."""


def cost(usage: Usage, rates: Rates) -> Decimal | None:
    """Return the price of ``usage`` in USD, exactly; ``None`` where ``rates`` don't know its speed."""
    card = rates.fast if usage.speed == FAST else rates.standard
    if card is None:
        return None
    tokens = usage.tokens
    context = usage.context or tokens.input + tokens.cache_write + tokens.cache_read
    total = (
        card.input.at(context) * tokens.input
        + card.output.at(context) * tokens.output
        + card.cache_write.at(context) * (tokens.cache_write - tokens.cache_write_1h)
        + card.cache_write_1h.at(context) * tokens.cache_write_1h
        + card.cache_read.at(context) * tokens.cache_read
    )
    return total.scaleb(-6)


def own_rates(own: OwnPrice) -> Rates:
    """Return the rates that a person's own price means, on every day."""
    write = own.input if own.cache_write is None else own.cache_write
    standard = Card(
        input=_flat(own.input),
        output=_flat(own.output),
        cache_write=_flat(write),
        cache_write_1h=_flat(write if own.cache_write_1h is None else own.cache_write_1h),
        cache_read=_flat(own.input if own.cache_read is None else own.cache_read),
    )
    if own.fast is None:
        return Rates(standard)
    prices = {kind: _flat(getattr(standard, kind).tiers[0][1] * own.fast) for kind in Card.__dataclass_fields__}
    return Rates(standard, Card(**prices))


def _flat(price: Decimal) -> Price:
    return Price(((0, price),))


def to_json(rates: Rates) -> str:
    """Return ``rates`` as text for the ledger."""
    row = {"standard": _card_row(rates.standard)}
    if rates.fast is not None:
        row[FAST] = _card_row(rates.fast)
    return json.dumps(row)


def from_json(text: str) -> Rates:
    """Return the rates that ``to_json`` wrote. Raises ``ValueError`` on anything else."""
    try:
        row = json.loads(text)
        fast = row.get(FAST)
        return Rates(_card(row["standard"]), None if fast is None else _card(fast))
    except (ArithmeticError, AttributeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"these are no rates: {text[:80]}") from error


def _card_row(card: Card) -> dict[str, list[list[int | str]]]:
    return {
        kind: [[start, str(price)] for start, price in getattr(card, kind).tiers] for kind in Card.__dataclass_fields__
    }


def _card(row: Mapping[str, list[tuple[int, str]]]) -> Card:
    return Card(
        **{
            kind: Price(tuple((int(start), Decimal(price)) for start, price in row[kind]) or _none(kind))
            for kind in Card.__dataclass_fields__
        }
    )


def _none(kind: str) -> tuple[tuple[int, Decimal], ...]:
    raise KeyError(kind)
