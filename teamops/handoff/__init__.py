"""The handoff file: bytes to blocks and problems, incrementally; blocks to text."""

from __future__ import annotations

from teamops.handoff.document import ROLES, Document, parse

__all__ = ["ROLES", "Document", "parse"]
