"""What the answers of OpenAI and Anthropic say of their usage, whole or as a stream's events.

An answer is an object of the SDK's or the JSON it was made from; what it lacks is nothing. OpenAI counts cached tokens
into its input, Anthropic does not.
"""

from __future__ import annotations

from typing import Any

from teamops.sdk.beats import MAX_COUNT
from teamops.sdk.calls import Call

CHAT = "/chat/completions"
RESPONSES = "/responses"
COMPACT = "/responses/compact"
MESSAGES = "/v1/messages"
PATHS = {"openai": (CHAT, RESPONSES, COMPACT), "anthropic": (MESSAGES,)}
"""Where each package's calls of a model go; the beginning, a query and what a cloud makes of it aside."""
UNDER_WAY = ("queued", "in_progress")
_ENDS = ("response.completed", "response.incomplete", "response.failed")


def get(holder: Any, name: str) -> Any:
    """Return a field of an object or of JSON; ``None`` where it isn't there."""
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def count(value: Any) -> int:
    """Return a count as it can be, 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_COUNT else 0


class Reader:
    """Reads one answer from ``path`` into its call."""

    def __init__(self, path: str, model: str) -> None:
        self.call = Call(model)
        self._path = path
        self._tools: set[tuple[int, int]] = set()

    def whole(self, answer: Any) -> None:
        """Read an answer that came as one."""
        if self._path == MESSAGES:
            self._message(answer)
            blocks = get(answer, "content") or ()
            self.call.tool_calls = sum(_is_tool(get(block, "type")) for block in blocks)
        elif self._path == CHAT:
            self._names(answer)
            self._chat_usage(get(answer, "usage"))
            for choice in get(answer, "choices") or ():
                message = get(choice, "message")
                self.call.tool_calls += len(get(message, "tool_calls") or ())
                self.call.tool_calls += get(message, "function_call") is not None
        else:
            self._response(answer)

    def event(self, event: Any) -> None:
        """Read one event of a stream."""
        if self._path == MESSAGES:
            self._message_event(event)
        elif self._path == CHAT:
            self._chunk(event)
        else:
            self._response_event(event)

    def _names(self, answer: Any) -> None:
        model, tier = get(answer, "model"), get(answer, "service_tier")
        if isinstance(model, str) and model:
            self.call.model = model
        if isinstance(tier, str):
            self.call.tier = tier

    def _openai_usage(self, total: Any, output: Any, details: Any) -> None:
        call = self.call
        call.known = True
        call.cache_read = count(get(details, "cached_tokens"))
        call.cache_write = count(get(details, "cache_write_tokens"))
        call.input = max(0, count(total) - call.cache_read - call.cache_write)
        call.output = count(output)

    def _chat_usage(self, usage: Any) -> None:
        if usage is not None:
            details = get(usage, "prompt_tokens_details")
            self._openai_usage(get(usage, "prompt_tokens"), get(usage, "completion_tokens"), details)

    def _chunk(self, chunk: Any) -> None:
        self._names(chunk)
        self._chat_usage(get(chunk, "usage"))  # the last one counts: some servers tell it with every chunk
        for choice in get(chunk, "choices") or ():
            delta, at = get(choice, "delta"), get(choice, "index") or 0
            self._tools.update((at, get(tool, "index") or 0) for tool in get(delta, "tool_calls") or ())
            if get(delta, "function_call") is not None:
                self._tools.add((at, -1))
        self.call.tool_calls = len(self._tools)

    def _response(self, response: Any) -> None:
        self._names(response)
        usage = get(response, "usage")
        if usage is not None:
            details = get(usage, "input_tokens_details")
            self._openai_usage(get(usage, "input_tokens"), get(usage, "output_tokens"), details)
        self.call.tool_calls = sum(_is_call(item) for item in get(response, "output") or ())

    def _response_event(self, event: Any) -> None:
        kind = get(event, "type")
        if kind in _ENDS:
            self._response(get(event, "response"))
        elif kind == "response.created":
            self._names(get(event, "response"))
        elif kind == "response.output_item.done":
            self.call.tool_calls += _is_call(get(event, "item"))

    def _message(self, message: Any) -> None:
        self._names(message)
        self._message_usage(get(message, "usage"))

    def _message_event(self, event: Any) -> None:
        kind = get(event, "type")
        if kind == "message_start":
            self._message(get(event, "message"))
        elif kind == "message_delta":
            self._message_usage(get(event, "usage"))
        elif kind == "content_block_start":
            self.call.tool_calls += _is_tool(get(get(event, "content_block"), "type"))

    def _message_usage(self, usage: Any) -> None:
        """Take counts, which are totals; a later event leaves out what it doesn't say anew."""
        if usage is None:
            return
        call = self.call
        call.known = True
        for name, field in (
            ("input", "input_tokens"),
            ("output", "output_tokens"),
            ("cache_write", "cache_creation_input_tokens"),
            ("cache_read", "cache_read_input_tokens"),
        ):
            value = get(usage, field)
            if value is not None:
                setattr(call, name, count(value))
        hour = get(get(usage, "cache_creation"), "ephemeral_1h_input_tokens")
        if hour is not None:
            call.cache_write_1h = count(hour)
        call.cache_write_1h = min(call.cache_write_1h, call.cache_write)
        speed, tier = get(usage, "speed"), get(usage, "service_tier")
        if isinstance(speed, str):
            call.speed = "" if speed == "standard" else speed
        if isinstance(tier, str):
            call.tier = tier


def _is_tool(kind: Any) -> bool:
    """Return whether a block of Anthropic's is a call of a tool: the agent's, the server's or MCP's."""
    return isinstance(kind, str) and kind.endswith("tool_use")


def _is_call(item: Any) -> bool:
    """Return whether an item of a response is a call of a tool."""
    kind = get(item, "type")
    return isinstance(kind, str) and kind.endswith("_call")
