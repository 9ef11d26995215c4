"""Words by which a client says that its account is refused: a new login mends that, a restart doesn't."""

from __future__ import annotations

LAST_LINES = 10
"""Only the last lines of a screen are read: above them stands what the agent talked about."""

_PHRASES = (
    "invalid api key",
    "incorrect api key",
    "invalid x-api-key",
    "api key not valid",
    "please run /login",
    "authentication_error",
    "authentication_failed",
    "oauth token has expired",
    "oauth token revoked",
    "not logged in",
    "access token could not be refreshed",
    "api error: 401",
    "api error: 403",
    "401 unauthorized",
    "403 forbidden",
    '"code":401',
    '"code":403',
    "unauthenticated",
)


def refused(text: str) -> str:
    """Return the line in which a client says that its account is refused; empty = it doesn't.

    Codes count only where they stand for an answer of the API, as clients print it: "API Error: 401", "401 … retrying
    in 2s".
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in reversed(lines[-LAST_LINES:]):
        low = line.lower()
        retried = "retrying in" in low and (" 401 " in f" {low} " or " 403 " in f" {low} ")
        if retried or any(phrase in low for phrase in _PHRASES):
            return line
    return ""
