"""A server on 127.0.0.1 that speaks as OpenAI and Anthropic do, whole answers and streams, for their real clients.

The newest user text says what the answer is: ``tool`` calls two tools, ``fail`` is refused with 429, ``silent`` never
answers, ``broken`` breaks a stream off with an error, ``background`` is still worked on; anything else is a text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
RESPONSE_USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens_details": {"reasoning_tokens": 5},
}
MESSAGE_USAGE = {
    "input_tokens": 30,
    "output_tokens": 20,
    "cache_creation_input_tokens": 10,
    "cache_read_input_tokens": 60,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
}
Events = list[tuple[str, dict[str, Any]]]


def text_of(body: dict[str, Any]) -> str:
    """Return the newest user text of a request of any of the three kinds."""
    said = body.get("messages") or body.get("input") or ""
    while not isinstance(said, str):
        last = said[-1]
        said = last.get("content", last.get("text", ""))
    return said


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self._json(200, response_of({"model": "gpt-5"}, "later"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        said, path = text_of(body), self.path.partition("?")[0]
        if said == "fail":
            error = {"type": "error", "error": {"type": "rate_limit_error", "message": "too much"}}
            self._json(429, error)
            return
        if said == "silent":
            self.server.silent.set()
            self.server.ending.wait(30)
            self.close_connection = True
            return
        make, stream = {
            "completions": (chat_of, chat_events),
            "responses": (response_of, response_events),
            "messages": (message_of, message_events),
            "opus:rawPredict": (message_of, message_events),  # as Vertex names it
        }[path.rpartition("/")[2]]
        if body.get("stream"):
            self._stream(stream(body, said), broken=said == "broken", done=path.endswith("completions"))
        else:
            self._json(200, make(body, said))

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Events, *, broken: bool, done: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for name, event in events[: len(events) // 2] if broken else events:
                head = "" if done else f"event: {name}\n"
                self.wfile.write(f"{head}data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            if broken:
                error = {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}}
                self.wfile.write(f"event: error\ndata: {json.dumps(error)}\n\n".encode())
            elif done:
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return  # the client went away


def chat_of(body: dict[str, Any], said: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "hello"}
    if said == "tool":
        call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "a", **call}, {"id": "b", **call}]}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"] + "-2025-08-07",
        "service_tier": "default",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": CHAT_USAGE,
    }


def chat_events(body: dict[str, Any], said: str) -> Events:
    head = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"] + "-2025-08-07"}

    def chunk(delta: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}

    events = [chunk({"role": "assistant", "content": "hel"}), chunk({"content": "lo"})]
    if said == "tool":
        events += [
            chunk({"tool_calls": [{"index": at, "id": f"c{at}", "type": "function", "function": {"name": "look"}}]})
            for at in (0, 1)
        ]
        events += [chunk({"tool_calls": [{"index": at, "function": {"arguments": "{}"}}]}) for at in (0, 1)]
    events.append(("", {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append(("", {**head, "choices": [], "usage": CHAT_USAGE}))
    return events


def response_of(body: dict[str, Any], said: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": "hello", "annotations": []}]
    output: list[dict[str, Any]] = [
        {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}
    ]
    if said == "tool":
        output.append({"type": "function_call", "id": "f", "call_id": "f", "name": "look", "arguments": "{}"})
        output.append({"type": "web_search_call", "id": "w", "status": "completed"})
    waits = said == "background"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"] + "-2025-08-07",
        "service_tier": "default",
        "status": "queued" if waits else "completed",
        "output": [] if waits else output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None if waits else RESPONSE_USAGE,
    }


def response_events(body: dict[str, Any], said: str) -> Events:
    whole = response_of(body, said)
    begun = {**whole, "status": "in_progress", "usage": None, "output": []}
    events: Events = [("response.created", {"type": "response.created", "response": begun})]
    for at, item in enumerate(whole["output"]):
        events.append(("response.output_item.added", {"output_index": at, "item": item}))
        if item["type"] == "message":
            part = {"output_index": at, "content_index": 0, "item_id": "m"}
            events.append(("response.content_part.added", {**part, "part": {**item["content"][0], "text": ""}}))
            events.append(("response.output_text.delta", {**part, "delta": "hello", "logprobs": []}))
        events.append(("response.output_item.done", {"output_index": at, "item": item}))
    events.append(("response.completed", {"response": whole}))
    return [(name, {**event, "type": name, "sequence_number": at}) for at, (name, event) in enumerate(events)]


def message_of(body: dict[str, Any], said: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": "hello"}]
    if said == "tool":
        content.append({"type": "tool_use", "id": "t", "name": "look", "input": {}})
        content.append({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "opus") + "-2025-08-07",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {**MESSAGE_USAGE, **({"speed": "fast"} if body.get("speed") == "fast" else {})},
    }


def message_events(body: dict[str, Any], said: str) -> Events:
    whole = message_of(body, said)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**MESSAGE_USAGE, "output_tokens": 1}}
    events: Events = [("message_start", {"message": begun})]
    for at, block in enumerate(whole["content"]):
        start = {**block, "text": ""} if block["type"] == "text" else block
        events.append(("content_block_start", {"index": at, "content_block": start}))
        if block["type"] == "text":
            events += [
                ("content_block_delta", {"index": at, "delta": {"type": "text_delta", "text": part}})
                for part in ("hel", "lo")
            ]
        events.append(("content_block_stop", {"index": at}))
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    events.append(("message_delta", {"delta": delta, "usage": {"output_tokens": 20}}))
    events.append(("message_stop", {}))
    return [(name, {**event, "type": name}) for name, event in events]


class ModelServer(ThreadingHTTPServer):
    """The server; ``url`` is where it listens, ``requests`` what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.ending = threading.Event()
        self.silent = threading.Event()
        """Somebody waits for an answer that won't come."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve as long as the block takes."""
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
