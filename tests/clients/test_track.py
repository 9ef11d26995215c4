"""The real packages of OpenAI and Anthropic, tracked, against a server on the loopback that speaks as theirs do."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

import teamops
from teamops.sdk import beats, tracking
from teamops.sdk.spool import Spool
from tests.model_server import ModelServer, model_server

SAY: list[dict[str, str]] = [{"role": "user", "content": "say"}]
OPENAI = {
    "model": "gpt-5-2025-08-07",
    "input": 30,
    "output": 20,
    "cache_write": 10,
    "cache_read": 60,
    "tier": "default",
}
CHUNKED = {key: value for key, value in OPENAI.items() if key != "tier"}
ANTHROPIC = {
    "model": "opus-2025-08-07",
    "input": 30,
    "output": 20,
    "cache_write": 10,
    "cache_write_1h": 6,
    "cache_read": 60,
    "tier": "standard",
}
USAGE = {"include_usage": True}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let this very process be the agent, with a spool of the test's own."""
    for name, value in {
        "spool": Spool(str(tmp_path), "CODER"), "asked": True, "interval": None, "pid": 0, "watches": True,
        "calls": None, "beat_at": 0.0,
    }.items():  # fmt: skip
        monkeypatch.setattr(beats._agent, name, value)
    monkeypatch.setattr(tracking._State, "all", False)
    monkeypatch.setattr(tracking._State, "ready", False)
    monkeypatch.setattr(tracking._State, "background", {})
    tracking._calls.take()
    yield tmp_path
    while _made:
        _made.pop().close()


def lines(project: Path) -> list[dict[str, Any]]:
    return [
        {key: row[key] for key in row if key not in {"v", "t", "pid"}}
        for path in sorted((project / ".teamops" / "spool" / "CODER").glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="ascii").splitlines())
    ]


def told(project: Path) -> list[dict[str, Any]]:
    """Return the calls that were told, each without its time."""
    rows = [call for line in lines(project) for call in line.get("usage", ())]
    assert all(abs(row.pop("t") - time.time()) < 60 for row in rows)
    return rows


def tool_calls(project: Path) -> int:
    return sum(line.get("tool_calls", 0) for line in lines(project))


_made: list[openai.OpenAI | anthropic.Anthropic] = []
"""Closed when their test is over: a connection that the collector finds open is a warning, at a moment of its own."""


def gpt(server: ModelServer, **more: Any) -> openai.OpenAI:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0, **more)
    _made.append(client)
    return teamops.track(client)


def async_gpt(server: ModelServer) -> openai.AsyncOpenAI:
    return teamops.track(openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0))


def claude(server: ModelServer, **more: Any) -> anthropic.Anthropic:
    client = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0, **more)
    _made.append(client)
    return teamops.track(client)


def async_claude(server: ModelServer) -> anthropic.AsyncAnthropic:
    return teamops.track(anthropic.AsyncAnthropic(base_url=server.url, api_key="k", max_retries=0))


def chat(said: str = "say", **more: Any) -> dict[str, Any]:
    return {"model": "gpt-5", "messages": [{"role": "user", "content": said}], **more}


def respond(said: str = "say", **more: Any) -> dict[str, Any]:
    return {"model": "gpt-5", "input": said, **more}


def ask(said: str = "say", **more: Any) -> dict[str, Any]:
    return {"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": said}], **more}


class Shape(BaseModel):
    pass


def read(stream: Any) -> None:
    with stream as events:
        for _ in events:
            pass


def text_only(manager: Any) -> None:
    with manager as stream:
        assert "".join(stream.text_stream) == "hello"


WAITING: dict[str, tuple[Callable[[ModelServer, str], Any], dict[str, Any]]] = {
    "chat": (lambda at, said: gpt(at).chat.completions.create(**chat(said)), OPENAI),
    "chat.stream=True": (
        lambda at, said: read(gpt(at).chat.completions.create(**chat(said, stream=True, stream_options=USAGE))),
        CHUNKED,
    ),
    "chat.stream": (
        lambda at, said: read(gpt(at).chat.completions.stream(**chat(said, stream_options=USAGE))),
        CHUNKED,
    ),
    "responses": (lambda at, said: gpt(at).responses.create(**respond(said)), OPENAI),
    "responses.parse": (lambda at, said: gpt(at).responses.parse(**respond(said)), OPENAI),
    "responses.stream=True": (lambda at, said: read(gpt(at).responses.create(**respond(said, stream=True))), OPENAI),
    "responses.stream": (lambda at, said: read(gpt(at).responses.stream(**respond(said))), OPENAI),
    "messages": (lambda at, said: claude(at).messages.create(**ask(said)), ANTHROPIC),
    "messages.stream=True": (lambda at, said: read(claude(at).messages.create(**ask(said, stream=True))), ANTHROPIC),
    "messages.stream": (lambda at, said: text_only(claude(at).messages.stream(**ask(said))), ANTHROPIC),
    "beta.messages": (lambda at, said: claude(at).beta.messages.create(**ask(said)), ANTHROPIC),
    "beta.messages.stream": (lambda at, said: read(claude(at).beta.messages.stream(**ask(said))), ANTHROPIC),
    "chat, raw": (lambda at, said: gpt(at).chat.completions.with_raw_response.create(**chat(said)).parse(), OPENAI),
    "messages, raw": (lambda at, said: claude(at).messages.with_raw_response.create(**ask(said)).parse(), ANTHROPIC),
    "responses, raw stream": (
        lambda at, said: read(gpt(at).responses.with_raw_response.create(**respond(said, stream=True)).parse()),
        OPENAI,
    ),
}


@pytest.mark.parametrize("said", ["say", "tool"])
@pytest.mark.parametrize(("call", "row"), WAITING.values(), ids=WAITING)
def test_every_way_to_call_a_model_tells_its_usage_once(
    server: ModelServer, spool: Path, call: Callable[[ModelServer, str], Any], row: dict[str, Any], said: str
) -> None:
    call(server, said)
    assert told(spool) == [row]
    assert [line["kind"] for line in lines(spool)] == ["usage"]
    assert lines(spool)[0]["tokens"] == 120
    assert tool_calls(spool) == (2 if said == "tool" else 0)


async def read_async(stream: Any) -> None:
    async with stream as events:
        async for _ in events:
            pass


async def stream_async(made: Any) -> None:
    await read_async(await made)


ASYNC: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "chat": (lambda gpt, _: gpt.chat.completions.create(**chat()), OPENAI),
    "chat.stream=True": (
        lambda gpt, _: stream_async(gpt.chat.completions.create(**chat(stream=True, stream_options=USAGE))),
        CHUNKED,
    ),
    "chat.stream": (lambda gpt, _: read_async(gpt.chat.completions.stream(**chat(stream_options=USAGE))), CHUNKED),
    "responses": (lambda gpt, _: gpt.responses.create(**respond()), OPENAI),
    "responses.stream": (lambda gpt, _: read_async(gpt.responses.stream(**respond())), OPENAI),
    "messages": (lambda _, claude: claude.messages.create(**ask()), ANTHROPIC),
    "messages.stream=True": (lambda _, claude: stream_async(claude.messages.create(**ask(stream=True))), ANTHROPIC),
    "messages.stream": (lambda _, claude: read_async(claude.messages.stream(**ask())), ANTHROPIC),
    "beta.messages": (lambda _, claude: claude.beta.messages.create(**ask()), ANTHROPIC),
    "messages, raw": (lambda _, claude: claude.messages.with_raw_response.create(**ask()), ANTHROPIC),
}


@pytest.mark.parametrize(("call", "row"), ASYNC.values(), ids=ASYNC)
async def test_async_clients_tell_the_same(
    server: ModelServer, spool: Path, call: Callable[[Any, Any], Any], row: dict[str, Any]
) -> None:
    async with async_gpt(server) as gpt, async_claude(server) as claude:
        await call(gpt, claude)
    assert told(spool) == [row]


def test_many_at_once_are_all_told(server: ModelServer, spool: Path) -> None:
    client = gpt(server)

    def work() -> None:
        for _ in range(10):
            client.chat.completions.create(**chat())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told(spool)) == 40
    assert sum(line["tokens"] for line in lines(spool)) == 40 * 120


def test_a_streaming_response_is_counted_when_it_was_read(server: ModelServer, spool: Path) -> None:
    reads: list[tuple[Any, Callable[[Any], Any], dict[str, Any]]] = [
        (gpt(server).chat.completions.with_streaming_response.create(**chat()), lambda raw: raw.parse(), OPENAI),
        (gpt(server).chat.completions.with_streaming_response.create(**chat()), lambda raw: raw.read(), OPENAI),
        (claude(server).messages.with_streaming_response.create(**ask()), lambda raw: raw.json(), ANTHROPIC),
    ]
    for make, read_it, row in reads:
        with make as raw:
            read_it(raw)
        assert told(spool)[-1:] == [row]
    assert len(lines(spool)) == 3


def test_one_that_nobody_reads_is_of_unknown_usage(server: ModelServer, spool: Path, capsys: Any) -> None:
    with gpt(server).chat.completions.with_streaming_response.create(**chat()):
        pass
    assert lines(spool) == [{"kind": "usage", "message": "1 model call of unknown usage"}]


def test_a_stream_that_tells_no_usage_is_not_guessed_and_the_request_stays_as_it_was(
    server: ModelServer, spool: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teamops.sdk.spool._warned", set())
    for _ in range(2):
        read(gpt(server).chat.completions.create(**chat("tool", stream=True)))
    assert lines(spool) == [{"kind": "usage", "message": "1 model call of unknown usage", "tool_calls": 2}] * 2
    assert server.requests[-1] == chat("tool", stream=True)
    assert capsys.readouterr().err.count("include_usage") == 1


def read_one(stream: Any) -> None:
    with stream as events:
        for _ in events:
            return


CLOSERS: dict[str, Callable[[Any], Any]] = {
    "close": lambda stream: (next(iter(stream)), stream.close()),
    "with": read_one,
    "dropped": lambda stream: next(iter(stream)),
}


@pytest.mark.parametrize("close", CLOSERS.values(), ids=CLOSERS)
def test_a_stream_that_is_closed_early_counts_what_was_seen(
    server: ModelServer, spool: Path, close: Callable[[Any], Any]
) -> None:
    close(claude(server).messages.create(**ask(stream=True)))
    gc.collect()
    assert told(spool) == [{**ANTHROPIC, "output": 1}]


async def test_an_async_stream_that_is_closed_early_counts_what_was_seen(server: ModelServer, spool: Path) -> None:
    async with async_claude(server) as client, client.messages.stream(**ask()) as stream:
        async for _ in stream:
            break
    assert told(spool) == [{**ANTHROPIC, "output": 1}]


def test_a_helper_stream_that_is_closed_early_counts_at_once(server: ModelServer, spool: Path) -> None:
    with gpt(server).chat.completions.stream(**chat(stream_options=USAGE)) as stream:
        next(iter(stream))
        assert lines(spool) == []
    assert lines(spool) == [{"kind": "usage", "message": "1 model call of unknown usage"}]
    del stream
    gc.collect()
    assert len(lines(spool)) == 1


def test_an_error_passes_through_as_it_was_and_counts_nothing(server: ModelServer, spool: Path) -> None:
    with pytest.raises(openai.RateLimitError) as told_by_openai:
        gpt(server).chat.completions.create(**chat("fail"))
    assert told_by_openai.value.__cause__ is None
    frames = [frame.name for frame in traceback.extract_tb(told_by_openai.tb)]
    assert frames.count("hooked") == 1
    with pytest.raises(anthropic.RateLimitError):
        claude(server).messages.create(**ask("fail"))
    with pytest.raises(openai.APITimeoutError):
        gpt(server, timeout=0.05).responses.create(**respond("silent"))
    with pytest.raises(anthropic.APITimeoutError):
        claude(server, timeout=0.05).messages.create(**ask("silent", stream=True))
    assert lines(spool) == []


def test_a_stream_that_breaks_off_raises_and_counts_what_was_seen(server: ModelServer, spool: Path) -> None:
    with pytest.raises(anthropic.APIStatusError, match="overloaded"):
        read(claude(server).messages.create(**ask("broken", stream=True)))
    assert told(spool) == [{**ANTHROPIC, "output": 1}]


async def test_a_call_that_is_cancelled_counts_nothing(server: ModelServer, spool: Path) -> None:
    server.silent.clear()
    async with async_claude(server) as client:
        task = asyncio.create_task(client.messages.create(**ask("silent")))
        assert await asyncio.to_thread(server.silent.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert lines(spool) == []


def test_a_response_in_the_background_counts_when_it_is_done(server: ModelServer, spool: Path) -> None:
    client = gpt(server)
    made = client.responses.create(**respond("background", background=True))
    assert lines(spool) == []
    for _ in range(3):
        client.responses.retrieve(made.id)
    assert told(spool) == [OPENAI]


def test_twice_is_once_and_copies_are_tracked_too(server: ModelServer, spool: Path) -> None:
    client = gpt(server)
    assert teamops.track(teamops.track(client)) is client
    client.chat.completions.create(**chat())
    client.with_options(timeout=5).with_options(timeout=6).chat.completions.create(**chat())
    teamops.autotrack()
    teamops.autotrack()
    client.chat.completions.create(**chat())
    assert len(told(spool)) == 3


def test_a_client_that_nobody_tracks_is_left_alone(server: ModelServer, spool: Path) -> None:
    gpt(server)
    openai.OpenAI(base_url=f"{server.url}/v1", api_key="k").chat.completions.create(**chat())
    assert lines(spool) == []


def test_what_the_agent_calls_stays_what_it_was(server: ModelServer) -> None:
    plain, tracked = openai.OpenAI(api_key="k"), gpt(server)
    assert type(tracked) is openai.OpenAI
    assert "create" not in tracked.chat.completions.__dict__
    for name in ("request", "copy", "with_options"):
        assert inspect.signature(getattr(tracked, name)) == inspect.signature(getattr(plain, name))
    assert inspect.iscoroutinefunction(openai.AsyncOpenAI.request)
    hooked, own = openai.OpenAI.request, inspect.unwrap(openai.OpenAI.request)
    assert hooked is not own
    assert (inspect.signature(hooked), hooked.__doc__, hooked.__qualname__) == (
        inspect.signature(own),
        own.__doc__,
        own.__qualname__,
    )
    stream = tracked.chat.completions.create(**chat(stream=True))
    assert type(stream) is openai.Stream
    stream.close()


def test_heirs_of_the_clients_are_clients(server: ModelServer, spool: Path) -> None:
    azure = openai.AzureOpenAI(base_url=f"{server.url}/v1", api_key="k", api_version="v")
    teamops.track(azure).chat.completions.create(**chat())
    vertex = anthropic.AnthropicVertex(base_url=server.url, region="r", project_id="p", access_token="t")  # noqa: S106
    teamops.track(vertex).messages.create(**ask())
    assert told(spool) == [OPENAI, ANTHROPIC]


def test_what_is_no_client_is_said_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    thing = object()
    assert teamops.track(thing) is thing
    assert "builtins.object is no client" in capsys.readouterr().err


def test_the_next_beat_of_an_agent_that_beats_carries_its_calls(server: ModelServer, spool: Path) -> None:
    client = gpt(server)
    teamops.heartbeat()
    for _ in range(2):
        client.chat.completions.create(**chat("tool"))
    assert len(lines(spool)) == 1
    teamops.heartbeat(tokens=200, tool_calls=1, cost_usd="0.5", message="built")
    line = lines(spool)[1]
    assert [line.pop("usage")[0]["output"], line] == [
        20,
        {"kind": "beat", "message": "built", "tokens": 240, "tool_calls": 5, "cost_usd": "0.5"},
    ]
    for _ in range(45):
        client.chat.completions.create(**chat())
    with teamops.cycle():
        pass
    assert [(line["kind"], len(line.get("usage", ()))) for line in lines(spool)[2:]] == [
        ("cycle-begin", 20),
        ("usage", 20),
        ("usage", 5),
        ("cycle-end", 0),
    ]


def test_a_spool_that_cannot_be_written_hurts_no_call_and_what_waited_is_told_later(
    server: ModelServer, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spool / ".teamops").write_text("in the way")
    client = gpt(server)
    for _ in range(3):
        assert client.chat.completions.create(**chat()).choices[0].message.content == "hello"
    (spool / ".teamops").unlink()
    client.chat.completions.create(**chat())
    assert len(told(spool)) == 4


def test_a_beat_that_is_lost_loses_no_calls(
    server: ModelServer, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __str__(self) -> str:
            raise RuntimeError("evil")

    teamops.heartbeat()
    gpt(server).chat.completions.create(**chat())
    teamops.heartbeat(message=Evil())  # type: ignore[arg-type]  # whatever an agent may say
    assert len(lines(spool)) == 1
    teamops.heartbeat()
    assert told(spool) == [OPENAI]


def test_an_answer_of_an_unknown_shape_hurts_no_call(
    server: ModelServer, spool: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("teamops.sdk.answers.Reader.whole", lambda *_: 1 / 0)
    assert claude(server).messages.create(**ask()).model == "opus-2025-08-07"
    assert lines(spool) == [{"kind": "usage", "message": "1 model call of unknown usage"}]


def test_it_costs_less_than_a_millisecond_a_call(server: ModelServer, spool: Path) -> None:
    """The hook's own time, the write of the line with it, without the network's."""
    client = gpt(server)
    answer = client.chat.completions.create(**chat())
    spans = []
    hooked = tracking._hooked(lambda *_: answer, "openai")
    options = type("Options", (), {"url": "/chat/completions", "method": "post", "json_data": chat()})()
    for _ in range(200):
        began = time.perf_counter()
        hooked(client, None, options)
        spans.append(time.perf_counter() - began)
    assert sorted(spans)[100] < 0.001
    assert len(told(spool)) == 201
