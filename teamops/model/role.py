"""Roles: who may hold the light."""

from __future__ import annotations

from typing import NewType

Role = NewType("Role", str)
"""A role's name in upper case. A team may define others beside the six shipped ones."""

DIRECTOR = Role("DIRECTOR")
DEVELOPER = Role("DEVELOPER")
CODER = Role("CODER")
REVIEWER = Role("REVIEWER")
OPTIMIZER = Role("OPTIMIZER")
PARTNER = Role("PARTNER")
HUMAN = Role("HUMAN")
"""The person: holds the light like a role, but is no agent."""
NONE = Role("NONE")
"""Not a role: the value of Turn that closes a task."""

AGENT_ROLES = (DIRECTOR, DEVELOPER, CODER, REVIEWER, OPTIMIZER, PARTNER)
IMPLEMENTERS = (DEVELOPER, CODER)
"""The roles that may hold the implementation stage of a pipeline."""


def role_of(text: str) -> Role:
    """Return the role that ``text`` names: stripped, upper-case."""
    return Role(text.strip().upper())
