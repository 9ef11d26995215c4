"""A figure: what was promised, what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    what: str
    measured: float
    promise: float
    """Must stay below this."""
    unit: str
    note: str = ""

    @property
    def kept(self) -> bool:
        """The promise holds."""
        return self.measured < self.promise

    @property
    def share(self) -> float:
        """How much of what was promised is used up."""
        return self.measured / self.promise

    def row(self) -> str:
        """Return the line."""
        verdict = "kept" if self.kept else "**broken**"
        return (
            f"| {self.what} | {amount(self.measured, self.unit)} | < {amount(self.promise, self.unit)} "
            f"| {self.share:.2f} | {verdict} | {self.note} |"
        )


HEAD = "| figure | measured | promised | of the promise | | how |\n|---|---|---|---|---|---|"


def amount(value: float, unit: str) -> str:
    """Return a value with its unit; milliseconds below one second."""
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "times":
        return f"{value:.2f} times"
    if unit == "%":
        return f"{value:.2f} %"
    return f"{value:.0f} {unit}"


def spread(values: list[float], unit: str) -> str:
    """Return how far single measurements lie apart."""
    low, high = amount(min(values), unit), amount(max(values), unit)
    return f"median of {len(values)}, {low} to {high}"


def middle(values: list[float]) -> float:
    """Return the median."""
    return median(values)
