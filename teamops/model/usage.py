"""Tokens and money."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct


class Tokens(Struct, frozen=True):
    """Counts of one or more responses. The five kinds do not overlap, but for the 1 h part named below."""

    input: int = 0
    """Without anything cached."""
    output: int = 0
    """With reasoning."""
    cache_write: int = 0
    """All cache writes, the 1 h part included."""
    cache_write_1h: int = 0
    """The part of ``cache_write`` that is kept for an hour and bills higher."""
    cache_read: int = 0

    @property
    def total(self) -> int:
        """All tokens billed."""
        return self.input + self.output + self.cache_write + self.cache_read

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_write + other.cache_write,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
        )

    def __sub__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input - other.input,
            self.output - other.output,
            self.cache_write - other.cache_write,
            self.cache_write_1h - other.cache_write_1h,
            self.cache_read - other.cache_read,
        )


class Usage(Struct, frozen=True, kw_only=True):
    """What one response of a model used, as a client's log or an agent's beat says it."""

    wall: float
    """Unix seconds of the record itself."""
    model: str
    tokens: Tokens
    client: str
    """claude, codex, gemini, opencode, sdk…"""
    session: str = ""
    speed: str = ""
    """``fast`` multiplies the price; empty is the standard speed."""
    service_tier: str = ""
    cost_usd: Decimal | None = None
    """Set where the log itself names the cost; otherwise the price table decides."""
    key: str = ""
    """Identity for deduplication; empty where the log has none."""
    context: int = 0
    """Input-side tokens, cached ones too, of the whole response that this is a part of: they decide a long-context
    price. 0: this is the whole response."""
    cwd: str = ""
    """Working directory of the session, where the log tells it: it says whose agent's session it is."""
    side: bool = False
    """Of a side chain (a subagent): a copy outside one is preferred."""
