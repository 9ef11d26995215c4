"""The table [report] → the report that is written each midnight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from teamops.config.settings import ReportSettings

KeyPath = tuple[str, ...]


def read(values: Mapping[KeyPath, object], resolved: Callable[[object], Path]) -> ReportSettings:
    """Return what the table says. ``resolved``: how a path is meant."""
    formats, folder = values.get(("report", "formats")), values.get(("report", "folder"))
    default = ReportSettings()
    return ReportSettings(
        daily=values.get(("report", "daily")) is not False,
        folder=default.folder if folder is None else str(resolved(folder)),
        formats=tuple(map(str, formats)) if isinstance(formats, tuple) else default.formats,
        send=values.get(("report", "send")) is True,
    )
