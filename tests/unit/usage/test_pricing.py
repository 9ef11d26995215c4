from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import Usage as GenaiUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.usage import Tokens, Usage
from teamops.usage.claude import ClaudeReader
from teamops.usage.pricing import Pricer
from teamops.usage.rates import Rates, cost, from_json, to_json
from teamops.usage.rates_worker import rates_of

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "tests" / "files" / "clients" / "claude_transcript.jsonl"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MODELS = (
    "claude-opus-5-5",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "claude-opus-4-5-20251101",
    "gpt-5",
    "gemini-2.5-pro",
)


def usage(tokens: Tokens, model: str = "claude-opus-5-5", *, speed: str = "", context: int = 0) -> Usage:
    return Usage(wall=NOON.timestamp(), model=model, tokens=tokens, client="c", speed=speed, context=context)


def rates(model: str) -> Rates:
    found = rates_of(model, "2026-11-22")
    assert found is not None, model
    return found


COUNTS = st.integers(0, 400_000)
TOKENS = st.builds(
    lambda own, output, short, hour, read: Tokens(own, output, short + hour, hour, read),
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
)


@given(model=st.sampled_from(MODELS), tokens=TOKENS, fast=st.booleans())
def test_the_price_is_that_of_genai_prices(model: str, tokens: Tokens, fast: bool) -> None:
    known = rates(model)
    fast = fast and known.fast is not None
    hour = tokens.cache_write_1h if model.startswith("claude") else 0
    tokens = Tokens(tokens.input, tokens.output, tokens.cache_write, hour, tokens.cache_read)
    theirs = GenaiUsage(
        input_tokens=tokens.input + tokens.cache_write + tokens.cache_read,
        output_tokens=tokens.output,
        cache_write_tokens=tokens.cache_write,
        cache_read_tokens=tokens.cache_read,
        **({"cache_write_1h_tokens": hour} if hour else {}),
    )
    provider, info = get_snapshot().find_provider_model(model, None, None, None)
    context = {"speed": "fast"} if fast else None
    expected = info.calc_price(theirs, provider, genai_request_timestamp=NOON, price_context=context).total_price
    ours = cost(usage(tokens, model, speed="fast" if fast else ""), known)
    assert ours is not None
    assert abs(ours - expected) < Decimal("1e-9")


def test_a_price_change_holds_from_its_day_on() -> None:
    """Both sides of every dated price that genai-prices has for Claude's models."""
    checked = 0
    for day in ("2025-01-01", "2026-01-01", "2026-11-22"):
        for model in ("claude-3-5-haiku-latest", "claude-sonnet-4-5", "claude-opus-4-5"):
            at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
            theirs = calc_price(GenaiUsage(input_tokens=1000), model, genai_request_timestamp=at).total_price
            found = rates_of(model, day)
            assert found is not None
            assert cost(usage(Tokens(input=1000), model), found) == theirs
            checked += 1
    assert checked == 9


def test_the_real_client_s_own_figure_is_met_exactly() -> None:
    lines = SAMPLE.read_bytes().splitlines()
    prices = [cost(found, rates(found.model)) for found in ClaudeReader().read(lines).usages]
    assert sum(price for price in prices if price is not None) == Decimal(str(json.loads(lines[-1])["totalCostUSD"]))


def test_a_response_in_parts_costs_what_it_costs_as_a_whole() -> None:
    known = rates("claude-sonnet-4-5")
    whole = usage(Tokens(input=10, output=500, cache_read=250_000), "claude-sonnet-4-5")
    first = usage(Tokens(input=10, output=100, cache_read=250_000), "claude-sonnet-4-5")
    rest = usage(Tokens(output=400), "claude-sonnet-4-5", context=250_010)
    parts = [cost(part, known) for part in (first, rest)]
    assert sum(part for part in parts if part is not None) == cost(whole, known)


def test_the_hour_s_cache_costs_twice_the_input() -> None:
    known = rates("claude-opus-5-5")
    assert known.standard.cache_write_1h.at(0) == 2 * known.standard.input.at(0)


def test_a_speed_without_a_price_is_unpriced_not_cheap() -> None:
    known = rates("gpt-5")
    assert known.fast is None
    assert cost(usage(Tokens(input=1), "gpt-5", speed="fast"), known) is None


@pytest.mark.parametrize("model", MODELS)
def test_rates_survive_the_ledger(model: str) -> None:
    assert from_json(to_json(rates(model))) == rates(model)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"standard":{}}', '{"standard":{"input":[["x","y"]]}}', "null"])
def test_unreadable_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
    assert Pricer({("m", "2026-11-22"): text}).known() == {}


async def test_prices_come_from_a_process_of_their_own() -> None:
    pricer = Pricer()
    found = usage(Tokens(input=1_000_000))
    unknown = usage(Tokens(input=1), "no-such-model")
    assert pricer.price(found) is None
    assert pricer.price(unknown) is None
    assert pricer.missing() == {("claude-opus-5-5", "2026-11-22"), ("no-such-model", "2026-11-22")}
    assert await pricer.fetch_missing() == ""
    assert pricer.missing() == set()
    assert pricer.price(found) == Decimal(4)
    assert pricer.price(unknown) is None
    assert pricer.missing() == set()  # known to be unknown: not asked again
    assert Pricer(pricer.known()).price(found) == Decimal(4)


def test_what_was_used_in_the_last_days_is_looked_up_before_it_is_used_again() -> None:
    text = to_json(rates("claude-opus-5-5"))
    pricer = Pricer({("claude-opus-5-5", "2026-11-21"): text, ("gpt-5", "2026-11-01"): text, ("x", "2026-11-22"): None})
    pricer.expect(NOON.timestamp())
    assert pricer.missing() == {
        ("claude-opus-5-5", "2026-11-22"),
        ("claude-opus-5-5", "2026-11-23"),
        ("x", "2026-11-23"),
    }


def test_the_log_s_own_cost_stands() -> None:
    pricer = Pricer()
    told = Usage(wall=0.0, model="m", tokens=Tokens(1), client="c", cost_usd=Decimal("0.5"))
    assert pricer.price(told) == Decimal("0.5")
    assert pricer.missing() == set()


@pytest.mark.parametrize(
    ("worker", "why"),
    [
        pytest.param(("/no/such/program",), "No such file", id="not there"),
        pytest.param((sys.executable, "-c", "raise SystemExit('broken')"), "broken", id="fails"),
        pytest.param((sys.executable, "-c", "print('[]')"), "something else", id="answers nonsense"),
        pytest.param((sys.executable, "-c", "print('{')"), "prices", id="answers no JSON"),
        pytest.param((sys.executable, "-c", "import time; time.sleep(60)"), "no answer", id="hangs"),
    ],
)
async def test_a_failed_look_up_says_why_and_waits(worker: tuple[str, ...], why: str) -> None:
    now = 1000.0
    pricer = Pricer(worker=worker, timeout_s=0.5 if why == "no answer" else 30.0, monotonic=lambda: now)
    pricer.price(usage(Tokens(1)))
    assert why in await pricer.fetch_missing()
    assert pricer.missing() == set()
    now += 61
    assert len(pricer.missing()) == 1


def test_the_screen_s_process_never_loads_the_price_tables() -> None:
    code = "import sys, teamops.usage.pricing, teamops.usage.claude; sys.exit('genai_prices' in sys.modules)"
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=True, cwd=ROOT
    )
