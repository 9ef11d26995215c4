"""The quick way through transcripts says what ``ClaudeReader`` says, however the bytes come."""

from __future__ import annotations

import json
import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.ledger.usage_groups import Split
from teamops.ledger.usage_store import UsageStore
from teamops.model.usage import Tokens
from teamops.model.usage_log import LogRow
from teamops.usage.claude import ClaudeReader, session_of
from teamops.usage.claude_bulk import ClaudeBulk

SAMPLE = Path(__file__).parents[2] / "files" / "clients" / "claude_transcript.jsonl"
COUNTS = st.sampled_from((0, 1, 100, 5_000))


def assistant(**more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 100, **more.pop("usage", {})}
    message = {"id": "m1", "model": "claude-opus-4-5", "usage": usage, **more.pop("message", {})}
    return {
        "isSidechain": False, "message": message, "requestId": "r1", "type": "assistant",
        "timestamp": "2026-03-28T10:00:00.000Z", "sessionId": "s", "cwd": "/p", **more,
    }  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    row = assistant(
        isSidechain=draw(st.booleans()),
        timestamp=f"2026-03-28T10:{draw(st.integers(0, 59)):02d}:00.000Z",
        usage={
            "input_tokens": draw(COUNTS),
            "output_tokens": draw(COUNTS),
            "cache_creation_input_tokens": draw(st.none() | COUNTS),
            "cache_creation": draw(
                st.none()
                | st.fixed_dictionaries({"ephemeral_5m_input_tokens": COUNTS, "ephemeral_1h_input_tokens": COUNTS})
            ),
            "speed": draw(st.sampled_from((None, "fast"))),
        },
        message={
            "id": draw(st.sampled_from(("m1", "m2", None))),
            "model": draw(st.sampled_from(("a", "<synthetic>", ""))),
        },
        requestId=draw(st.sampled_from(("r1", "r2", None))),
    )
    if draw(st.booleans()):
        row["costUSD"] = draw(st.sampled_from((0, 0.25, -1, 1e9)))
    line = json.dumps(row, separators=draw(st.sampled_from(((",", ":"), (", ", ": "))))).encode()
    other = st.sampled_from(
        (
            b'{"type":"user","message":{"content":"\\"usage\\""}}',
            b'{"type": "user", "toolUseResult": {"usage": 1}}',
            b'{"type":"summary"}',
            b"",
            b"  ",
            b"not json",
            b'{"usage": [',
            b'{"cut": 1',
            b'{"type":"assistant","message":{"usage":{"input_tokens":-5}},"timestamp":"2026-03-28T10:00:00Z"}',
            b'\xff\xfe"usage"',
            line[: len(line) // 2],
            line + b"\r",
            b" " + line,
        )
    )
    return draw(st.just(line) | other)


def tokens_of(rows: tuple[LogRow, ...]) -> Tokens:
    return sum((Tokens(*row[8:13]) for row in rows), Tokens())


@given(made=st.lists(lines(), max_size=12), block=st.sampled_from((1, 7, 64, 1 << 16)), closed=st.booleans())
def test_it_says_what_the_reader_of_lines_says(made: list[bytes], block: int, closed: bool) -> None:
    folder = Path(os.environ["HOME"]) / "projects" / "p"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "s.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in made) + (b"" if closed else b'{"usage": "not a line yet'))
    read = ClaudeBulk(block).read(str(path), None)
    reading = (reader := ClaudeReader()).read(made, str(path))
    assert read.file.bad_lines == reading.bad_lines
    assert read.file.offset == sum(len(line) + 1 for line in made)
    ledger = folder / "usage"
    ledger.unlink(missing_ok=True)
    with closing(UsageStore(ledger)) as store:
        store.save([read])
        groups = store.groups(since=-1.0, until=1e12, split=Split.RESPONSES)
    counted = [usage for usage in reading.usages if not usage.key] + list(reader.counted())

    def told(wall: float, model: str, speed: str, tokens: Tokens, cost: Decimal | None) -> tuple[object, ...]:
        return (wall, model, speed, tokens.input, tokens.output, tokens.cache_write, tokens.cache_write_1h,
                tokens.cache_read, -1 if cost is None else cost)  # fmt: skip

    assert sorted(told(one.wall, one.model, one.speed, one.tokens, one.cost_usd) for one in groups) == sorted(
        told(one.wall, one.model, one.speed, one.tokens, one.cost_usd) for one in counted
    )


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_a_real_transcript(tmp_path: Path, block: int) -> None:
    path = tmp_path / "projects" / "p" / "cfc3a065.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(SAMPLE.read_bytes())
    read = ClaudeBulk(block).read(str(path), None)
    reading = ClaudeReader().read(SAMPLE.read_bytes().splitlines())
    assert tokens_of(read.rows) == sum((usage.tokens for usage in reading.usages), Tokens())
    assert read.rows
    assert {row[4] for row in read.rows} == {"cfc3a065"}
    assert dict(read.cwds)["cfc3a065"].startswith("/")
    assert read.file.bad_lines == 0


def test_what_grew_is_read_from_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    first, second = (json.dumps(assistant(requestId=name)).encode() + b"\n" for name in ("r1", "r2"))
    path.write_bytes(first + second[:20])
    bulk = ClaudeBulk()
    begun = bulk.read(str(path), None)
    assert (begun.anew, len(begun.rows), begun.file.offset) == (True, 1, len(first))
    with path.open("ab") as file:
        file.write(second[20:])
    grown = bulk.read(str(path), begun.file)
    assert (grown.anew, [row[0] for row in grown.rows]) == (False, ["m1:r2"])
    assert grown.file.offset == len(first + second)
    assert bulk.read(str(path), grown.file).rows == ()


@pytest.mark.parametrize("how", ["truncated", "replaced", "rewritten"])
def test_what_is_another_file_by_now_is_read_from_its_beginning(tmp_path: Path, how: str) -> None:
    path = tmp_path / "s.jsonl"
    old = json.dumps(assistant()).encode() + b"\n"
    new = json.dumps(assistant(requestId="r9", sessionId="t")).encode() + b"\n"
    path.write_bytes(old)
    known = ClaudeBulk().read(str(path), None).file
    if how == "truncated":
        path.write_bytes(b"{}\n")
        assert ClaudeBulk().read(str(path), known).file.offset == 3
        return
    if how == "replaced":
        other = tmp_path / "other"
        other.write_bytes(old + new)
        other.replace(path)
    else:
        with path.open("r+b") as file:
            file.write(new + new)
    read = ClaudeBulk().read(str(path), known)
    assert read.anew
    assert "m1:r9" in {row[0] for row in read.rows}


@pytest.mark.parametrize(("head", "bad"), [(b'{"type":"user","x":"', 0), (b'{"type":"assistant","x":"', 1)])
def test_a_line_too_long_to_be_held_is_passed_over(tmp_path: Path, head: bytes, bad: int) -> None:
    path = tmp_path / "s.jsonl"
    line = json.dumps(assistant()).encode() + b"\n"
    path.write_bytes(line + head + b"x" * 5_000 + b'"}\n' + line.replace(b'"r1"', b'"r2"'))
    read = ClaudeBulk(512, max_line=1024).read(str(path), None)
    assert ([row[0] for row in read.rows], read.file.bad_lines) == (["m1:r1", "m1:r2"], bad)
    assert read.file.offset == path.stat().st_size


def test_a_line_too_long_and_without_an_end_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"{" + b"x" * 5_000)
    bulk = ClaudeBulk(512, max_line=1024)
    read = bulk.read(str(path), None)
    assert read.file.offset == 0
    assert read.file.bad_lines == 0
    with path.open("ab") as file:
        file.write(b"}\n" + json.dumps(assistant()).encode() + b"\n")
    assert len(bulk.read(str(path), read.file).rows) == 1


@pytest.mark.parametrize(
    ("path", "session"),
    [
        ("/h/.claude/projects/-p/abc.jsonl", "abc"),
        ("/h/.claude/projects/-p/abc/subagents/agent-1.jsonl", "abc"),
        ("/h/projects/.claude/projects/-p/abc.jsonl", "abc"),
    ],
)
def test_the_session_is_in_the_path(path: str, session: str) -> None:
    assert session_of(path) == session
