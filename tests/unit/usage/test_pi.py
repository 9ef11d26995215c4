from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from teamops.model.usage import Tokens, Usage
from teamops.usage.pi import PiReader

PATH = "/home/.pi/agent/sessions/--shop--/2026-11-20T09-00-00-000Z_named.jsonl"


def entry(key: str = "e", output: int = 1, **fields: Any) -> bytes:
    usage = {"input": 2, "output": output, "cacheRead": 3, "cacheWrite": 4, **fields.pop("usage", {})}
    message = {"role": "assistant", "model": "claude-sonnet-4-5", "usage": usage, **fields.pop("message", {})}
    row = {"type": "message", "id": key, "timestamp": "2026-11-20T09:00:00Z", "message": message, **fields}
    return json.dumps(row).encode()


def head(session: str = "s", cwd: str = "/shop") -> bytes:
    return json.dumps({"type": "session", "id": session, "cwd": cwd, "timestamp": "2026-11-20T09:00:00Z"}).encode()


def total(usages: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


def test_each_kind_of_tokens() -> None:
    (usage,) = PiReader().read([head(), entry()], PATH).usages
    assert usage.tokens == Tokens(2, 1, 4, 0, 3)
    assert (usage.session, usage.cwd, usage.model) == ("s", "/shop", "claude-sonnet-4-5")
    assert usage.cost_usd is None


def test_without_its_head_the_session_is_that_of_the_name() -> None:
    (usage,) = PiReader().read([entry()], PATH).usages
    assert (usage.session, usage.cwd) == ("named", "")


@pytest.mark.parametrize(
    ("cost", "told"), [(0.25, Decimal("0.25")), (0, None), (-1, None), (1e9, None), (None, None)], ids=str
)
def test_a_cost_that_the_log_names_stands(cost: float | None, told: Decimal | None) -> None:
    (usage,) = PiReader().read([entry(usage={"cost": {"total": cost}})], PATH).usages
    assert usage.cost_usd == told


def test_what_is_not_named_is_output() -> None:
    assert total(PiReader().read([entry(usage={"totalTokens": 30})], PATH).usages) == Tokens(2, 21, 4, 0, 3)


def test_a_fork_s_copies_count_once() -> None:
    reader = PiReader()
    first = reader.read([head(), entry("a"), entry("b")], PATH).usages
    fork = reader.read([head("f"), entry("a"), entry("b"), entry("c", 5)], "/home/fork.jsonl").usages
    assert [usage.session for usage in first + fork] == ["s", "s", "f"]
    assert total(fork).output == 5


def test_a_response_is_known_by_its_own_id() -> None:
    lines = [entry("a", message={"responseId": "r"}), entry("b", message={"responseId": "r"})]
    assert len(PiReader().read(lines, PATH).usages) == 1


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        pytest.param(entry(message={"role": "user"}), 0, id="a person's"),
        pytest.param(entry(type="branch_summary"), 0, id="another entry"),
        pytest.param(entry(message={"usage": None}), 0, id="no usage"),
        pytest.param(entry(output=0, usage={"input": 0, "cacheRead": 0, "cacheWrite": 0}), 0, id="nothing used"),
        pytest.param(entry(output=-1), 1, id="negative"),
        pytest.param(entry(timestamp=None), 1, id="no time"),
        pytest.param(entry()[:-7], 1, id="cut"),
        pytest.param(b'"usage"', 1, id="a word"),
    ],
)
def test_what_is_no_usage_is_skipped_and_what_is_malformed_counted(line: bytes, bad: int) -> None:
    reading = PiReader().read([line, entry("other", 7)], PATH)
    assert (reading.bad_lines, total(reading.usages).output) == (bad, 7)
