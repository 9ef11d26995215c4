"""The one family of errors a person may see: what happened, and what to do about it."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FINDING = 1
"""A finding, or an act that failed."""
EXIT_USAGE = 2
"""Wrong use: an unreadable file, a wrong option, a refused configuration."""


class TeamopsError(Exception):
    """Something a person has to know, said as a message and a hint.

    ``message`` says what happened, ``hint`` what to do about it. ``exit_code`` is what the command line
    leaves with when nothing nearer to the cause handled the error.
    """

    exit_code = EXIT_FINDING

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(TeamopsError):
    """The call, its arguments or a file named by the person can't be used as given."""

    exit_code = EXIT_USAGE
