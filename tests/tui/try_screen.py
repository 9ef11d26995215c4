"""Look at the screen by hand: ``python -m tests.tui.try_screen [agents]`` in a terminal; with ``stuck`` no act ends.

With ``sign`` a task waits for the person's sign-off.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.model.role import Role
from teamops.model.snapshot import AttachPlan
from teamops.tui.app import TeamopsApp
from tests.tui.fake_port import FakePort


def run_attach(plan: AttachPlan) -> None:
    """Show what would run, for as long as the person likes."""
    sys.stdout.write(f"would run {' '.join(plan.argv)}; Enter comes back\n")
    sys.stdout.flush()
    sys.stdin.readline()


def main() -> None:
    """Run the screen on a fake team whose ages grow."""
    port = FakePort()
    port.plan = AttachPlan(("tmux", "attach"), switch=False, back="prefix d")
    if sys.argv[1:] == ["stuck"]:
        port.gates["act"] = threading.Event()
    elif sys.argv[1:] == ["sign"]:
        port.hand_to_person()
    elif len(sys.argv) > 1:
        agents = port.now.agents
        many = tuple(
            replace(agents[n % len(agents)], role=Role(f"{agents[n % len(agents)].role}-{n}"))
            for n in range(int(sys.argv[1]))
        )
        port.publish(agents=many)
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(1.0):
            port.tick()

    threading.Thread(target=run, daemon=True).start()
    root = Path("/home/ada/notify-hub")
    settings = Settings(
        root=root, project="notify-hub", handoff=root / "current.md", roles=(), source=root / "teamops.toml"
    )
    TeamopsApp(port, settings, run_attach).run()
    ended.set()


if __name__ == "__main__":
    main()
