"""The doors of tracking: what model calls use is told by themselves, without a word of the agent's.

The machinery behind is loaded by the first call: an agent without it pays for none.
"""

from __future__ import annotations

from teamops.sdk.spool import warn

TYPE_CHECKING = False  # not from typing, whose import costs more than all of this
if TYPE_CHECKING:
    from typing import TypeVar

    Client = TypeVar("Client")


def track(client: Client) -> Client:
    """Tell what each call of this OpenAI or Anthropic client uses, and return the client itself.

    Chat completions, responses and messages, whole or streamed, of clients that wait or are async. Nothing that the
    agent calls, gets or catches is changed. Its copies (``with_options``) are tracked, too. Twice is once.
    """
    try:
        from teamops.sdk.tracking import track_client

        track_client(client)
    except Exception as error:  # noqa: BLE001 - the port to someone else's program: nothing may come through
        warn(f"this client can't be tracked: {type(error).__name__}: {error}")
    return client


def autotrack() -> None:
    """Track every client of OpenAI and Anthropic, those that exist and those to come. Imports neither package."""
    try:
        from teamops.sdk.tracking import track_all

        track_all()
    except Exception as error:  # noqa: BLE001 - as above
        warn(f"model calls can't be tracked: {type(error).__name__}: {error}")
