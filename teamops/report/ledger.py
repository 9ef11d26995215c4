"""What is said of the ledger itself: for programs and for people."""

from __future__ import annotations

from typing import Any

from teamops.domain.limits import Retention
from teamops.ledger.export import Export
from teamops.ledger.stats import Stats, TableStats
from teamops.ledger.tables import Kept
from teamops.ledger.verify import Verified
from teamops.model.text import clean_line
from teamops.report.table import NOTHING, counted, table, wrapped
from teamops.report.times import iso, moment

STATS, EXPORT, VERIFY = "teamops.ledger-stats/1", "teamops.ledger-export/1", "teamops.ledger-verify/1"
_KIB = 1024


def stats_json(stats: Stats, rule: Retention) -> dict[str, Any]:
    """Return how the ledger is; bytes, and moments as ISO 8601."""
    return {
        "schema": STATS,
        "path": str(stats.path),
        "version": stats.version,
        "file_bytes": stats.file_bytes,
        "wal_bytes": stats.wal_bytes,
        "free_bytes": stats.free_bytes,
        "shrinks": stats.shrinks,
        "retention": {
            "raw_days": rule.raw_days,
            "minute_days": rule.minute_days,
            "last": iso(stats.swept_wall),
            "rows_gone": stats.gone,
            "rows_merged": stats.merged,
        },
        "tables": [
            {
                "table": one.table.name,
                "kept": one.table.kept.value,
                "rows": one.rows,
                "bytes": one.bytes,
                "oldest": _iso(one.oldest_wall),
                "newest": _iso(one.newest_wall),
                "rows_per_day": None if one.rows_per_day is None else round(one.rows_per_day, 2),
                "bytes_per_day": None if one.bytes_per_day is None else round(one.bytes_per_day),
            }
            for one in stats.tables
        ],
    }


def stats_text(stats: Stats, rule: Retention, now: float, width: int) -> str:
    """Return the same for a person; empty tables are left out."""
    filled = sorted((one for one in stats.tables if one.rows), key=lambda one: (-(one.bytes or 0), -one.rows))
    rows = [
        (
            one.table.name,
            _kept(one.table.kept, rule),
            f"{one.rows:,}",
            size(one.bytes),
            _moment(one.oldest_wall, now),
            _moment(one.newest_wall, now),
            _growth(one),
        )
        for one in filled
    ]
    known = [one.bytes_per_day for one in filled if one.bytes_per_day is not None]
    growth = f"; {size(sum(known))} come a day" if known else ""
    swept = f"last {moment(stats.swept_wall, now)}" if stats.swept_wall else "not yet"
    lines = [
        f"{stats.path} (version {stats.version})",
        f"{size(stats.file_bytes)}, of which {size(stats.free_bytes)} are free to be used again{growth}",
        f"raw rows are kept {rule.raw_days} days, minutes {rule.minute_days} days, facts for ever",
        f"cleared away: {swept}, {stats.gone:,} rows gone and {stats.merged:,} summed up so far",
    ]
    if not stats.shrinks:
        lines.append("made by an older teamops: what is free goes back to the disk with: teamops ledger vacuum")
    if not rows:
        return "\n".join([*lines, "nothing is recorded yet"])
    head = ("table", "kept", "rows", "size", "oldest", "newest", "a day")
    return "\n".join([*lines, "", table(head, rows, width, give=(4, 5))])


def export_head(export: Export, project: str, at: float, since_wall: float | None) -> dict[str, Any]:
    """Return the first line of an export: what follows."""
    return {
        "schema": EXPORT,
        "project": project,
        "version": export.version,
        "at": iso(at),
        "since": iso(since_wall),
        "tables": {one.name: {"kept": one.kept.value, "columns": export.columns(one)} for one in export.tables},
    }


def verify_json(found: Verified) -> dict[str, Any]:
    """Return what was found."""
    return {
        "schema": VERIFY,
        "there": found.there,
        "ok": not found.faults,
        "checks": list(found.checks),
        "findings": [
            {
                "code": one.code,
                "severity": "error" if one.grave else "warning",
                "message": clean_line(one.message),
                "do": clean_line(one.do),
            }
            for one in found.faults
        ],
    }


def verify_text(found: Verified, path: str, width: int) -> str:
    """Return the same for a person."""
    if not found.there:
        return f"there is no ledger yet: {path}"
    lines = []
    for fault in found.faults:
        lines += wrapped(clean_line(fault.message), width, "✗ " if fault.grave else "! ", "  ")
        lines += wrapped(clean_line(fault.do), width, "  → ", "    ")
    checked = f"{counted(len(found.checks), 'check')}: {', '.join(found.checks)}"
    if not found.faults:
        return f"✓ the ledger is sound ({checked})"
    return "\n".join([*lines, f"{counted(len(found.faults), 'finding')} ({checked})"])


def size(amount: float | None) -> str:
    """Return bytes in words, in units of 1024."""
    if amount is None:
        return NOTHING
    for unit in ("B", "KB", "MB"):
        if amount < _KIB:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= _KIB
    return f"{amount:.1f} GB"


def _kept(kept: Kept, rule: Retention) -> str:
    return {
        Kept.RAW: f"{rule.raw_days} d",
        Kept.MINUTE: f"{rule.minute_days} d",
        Kept.FACT: "ever",
        Kept.STATE: "as it is",
    }[kept]


def _growth(one: TableStats) -> str:
    if one.rows_per_day is None or not one.rows_per_day or one.table.kept is Kept.STATE:
        return NOTHING
    return f"{one.rows_per_day:,.0f} rows" if one.bytes_per_day is None else size(one.bytes_per_day)


def _moment(wall: float | None, now: float) -> str:
    if wall is None:
        return NOTHING
    try:
        return moment(wall, now)[:16]
    except (ValueError, OverflowError, OSError):
        return "?"


def _iso(wall: float | None) -> str | None:
    try:
        return iso(wall)
    except (ValueError, OverflowError, OSError):
        return None
