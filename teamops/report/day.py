"""A day's report in the form that is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from teamops.model.day_report import DayReport


def _text(report: DayReport) -> str:
    from teamops.report.day_text import day_text

    return day_text(report) + "\n"


def _md(report: DayReport) -> str:
    from teamops.report.day_md import day_md

    return day_md(report)


def _json(report: DayReport) -> str:
    from teamops.report.day_json import day_json

    return json.dumps(day_json(report), ensure_ascii=False, indent=2) + "\n"


def _html(report: DayReport) -> str:
    from teamops.report.day_html import day_html

    return day_html(report)


FORMATS: Mapping[str, Callable[[DayReport], str]] = MappingProxyType(
    {"text": _text, "md": _md, "json": _json, "html": _html}
)
"""Name → the whole file."""
SUFFIXES: Mapping[str, str] = MappingProxyType({"text": ".txt", "md": ".md", "json": ".json", "html": ".html"})
