"""Processes of our own: how they are started from this very package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

RATES = (sys.executable, "-P", "-m", "teamops.usage.rates_worker")
"""Looks prices up."""
SCAN = (sys.executable, "-P", "-m", "teamops.sources.usage_worker")
"""Reads the clients' logs; its arguments are the ledger and the process for which it works."""


def own_environment() -> dict[str, str]:
    """Return an environment in which the worker finds this very package."""
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
