"""Looks prices up for a command: in a process of ``rates_worker``, begun while there is something else to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from teamops.usage.own_process import RATES, own_environment

TIMEOUT_S = 30.0


class RatesLookup:
    """One look-up. ``start`` may be called before it is known what will be asked, or not at all."""

    def __init__(self, worker: Sequence[str] = RATES, timeout_s: float = TIMEOUT_S) -> None:
        self._worker = tuple(worker)
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def start(self) -> None:
        """Have the table of prices read. Raises ``OSError``."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._worker,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=own_environment(),
            )

    def ask(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
        """Return rates as JSON by model and ISO day, ``None`` for a model without a known price.

        Raises ``OSError``, and ``ValueError`` that says why there is no answer.
        """
        asked = sorted(wanted)
        if not asked:
            return {}
        self.start()
        process, self._process = self._process, None
        if process is None:
            return {}
        try:
            out, err = process.communicate(json.dumps(asked).encode(), self._timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise ValueError(f"no answer within {self._timeout_s:.0f} s") from None
        if process.returncode:
            last = err.decode(errors="replace").strip().rpartition("\n")[2]
            raise ValueError(last or f"the look-up ended with status {process.returncode}")
        texts = json.loads(out)
        if not isinstance(texts, list) or len(texts) != len(asked):
            raise ValueError("the look-up answered something else")
        return {key: text if isinstance(text, str) else None for key, text in zip(asked, texts, strict=True)}
