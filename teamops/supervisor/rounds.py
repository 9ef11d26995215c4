"""Who would miss the supervisor's rounds is told of each: other supervisors, a web page, whoever runs the program."""

from __future__ import annotations

from collections.abc import Callable

from teamops.effects.watchdog import Watchdog
from teamops.model.events import SourceTroubled
from teamops.model.snapshot import Snapshot
from teamops.sources.clock import Clock
from teamops.supervisor.core import Core
from teamops.supervisor.lease import Lease


def tell_rounds(
    core: Core, lease: Lease, clock: Clock, watchdog: Watchdog, on_round: Callable[[Snapshot], None]
) -> None:
    """Let them know, from now on, of each round of the clock that ``core`` goes through."""

    def tell(snapshot: Snapshot) -> None:
        lease.say_round(clock.machine())
        watchdog.see_round()
        on_round(snapshot)

    def say(trouble: str, hint: str) -> None:
        core.emit(SourceTroubled(core.stamp(), "watchdog", trouble, hint))

    core.on_round = tell
    watchdog.begin_life(say if core.book.supervisor.acting else None)
