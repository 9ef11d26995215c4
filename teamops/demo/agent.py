"""One simulated agent: ``python -m teamops.demo.agent --role DEVELOPER --handoff current.md``.

It behaves as a real one seen from outside: it waits for its light in the handoff file, works in its pane, beats, leaves
Claude's transcript and status file, appends its block, and takes the lines that are typed to it.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from types import FrameType

import teamops
from teamops.demo import reaper
from teamops.demo.acts import Act, acts_of
from teamops.demo.answers import answer
from teamops.demo.console import BLUE, BOLD, CYAN, DIM, GREEN, PROMPT, RED, RESET, Console
from teamops.demo.folder import owner_gone
from teamops.demo.reading import Follower, entries
from teamops.demo.script import Draft, Thread, opening, threads, turn_of
from teamops.demo.transcript import Transcript
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.role import DIRECTOR, HUMAN, NONE, Role, role_of

SLICE_S = 0.2
"""How often an agent looks up: at the handoff file, its input, its owner."""
BEAT_S = 30.0
OWNER_S = 1.0
WORK_S = (28.0, 0.35)
"""Median seconds of a turn, and the sigma of their logarithm."""
WORK_BOUNDS_S = (15.0, 60.0)
OPENING_S = (3.0, 6.0)
REACTION_S = (0.8, 2.5)
LOITER_S = (40.0, 80.0)
LOITER_CHANCE = 0.06
DIALOG = "permission to run: git push --force"

PERSONAS = {
    "DIRECTOR": ("Max", "claude-opus-4-5"),
    "DEVELOPER": ("Isabelle", "claude-sonnet-4-5"),
    "CODER": ("Kevin", "claude-sonnet-4-5"),
    "REVIEWER": ("Sarah", "claude-opus-4-5"),
    "OPTIMIZER": ("Sam", "claude-haiku-4-5"),
    "PARTNER": ("Alex", "claude-sonnet-4-5"),
}


class TooLate(Exception):  # noqa: N818 - not an error: somebody else was quicker
    """The light moved on while the agent worked: its block is not written."""


class Ended(Exception):  # noqa: N818 - not an error: the wish to end
    """The agent has to end: a signal, its terminal, or its owner says so."""


class Agent:
    """An agent between its start and its end."""

    def __init__(self, role: Role, path: Path, *, pace: float, seed: int, folder: Path | None) -> None:
        self._role = role
        self._path = path
        self._pace = pace
        self._folder = folder
        self._seed = seed
        self._rng = Random(f"{seed}:{role}")  # noqa: S311 - a story, not a secret
        self._name, model = PERSONAS.get(role, (role.capitalize(), "claude-sonnet-4-5"))
        home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
        self._transcript = Transcript(home, path.parent, model, self._rng)
        self._file = Follower(path)
        self._console = Console()
        self._state = ""
        self._asleep = self._dialog = self._poked = False
        self._turns = 0
        self._doing = ""
        self._next_beat = self._next_owner = 0.0
        self._signal = 0

    def run(self) -> int:
        """Live until told to end; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with self._console:
            self._console.title(f"{self._name} ({self._role})")
            self._console.say(f"{BOLD}{self._name}{RESET} {DIM}· {self._role} · simulated agent{RESET}", "")
            self._is("idle")
            try:
                while True:
                    self._step()
            except Ended:
                if self._signal == signal.SIGTERM:
                    teamops.shutting_down(grace=5)
                    self._console.say(f"{DIM}Told to end. Goodbye.{RESET}")
            finally:
                self._transcript.close()
        return 128 + self._signal if self._signal else 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _step(self) -> None:
        """Take a turn if there is one."""
        self._rest(SLICE_S)
        thread = turn_of(self._role, self._file.tasks)
        if thread is not None:
            self._hesitate()
            self._take(thread)
        elif self._role == DIRECTOR and (draft := opening(self._file.tasks, after=self._seed)) is not None:
            self._rest(self._rng.uniform(*REACTION_S) / self._pace)
            self._work(draft, self._rng.uniform(*OPENING_S))
            self._append(draft, lambda tasks: opening(tasks, after=self._seed) == draft)
            self._is("idle")
        else:
            self._poked = False  # there was nothing to do

    def _hesitate(self) -> None:
        """Notice the light; now and then, only when somebody pokes, also before it was noticed."""
        pause = self._rng.uniform(*REACTION_S)
        if self._turns > 1 and self._rng.random() < LOITER_CHANCE:
            pause = self._rng.uniform(*LOITER_S)
        self._rest(pause / self._pace, until_poked=True)
        self._poked = False

    def _take(self, thread: Thread) -> None:
        """Do the work of one turn and hand on."""
        if turn_of(self._role, self._file.tasks) != thread:
            return  # the light went on while we hesitated
        self._turns += 1
        draft = answer(self._role, thread)
        seconds = self._rng.lognormvariate(0, WORK_S[1]) * WORK_S[0]
        self._transcript.user(f"It is your turn on {thread.task}.")
        self._work(draft, min(max(seconds, WORK_BOUNDS_S[0]), WORK_BOUNDS_S[1]))
        self._append(draft, lambda tasks: turn_of(self._role, tasks) == thread)
        self._poked = False  # a poke in the middle of the work was for this turn
        self._is("idle")

    def _work(self, draft: Draft, seconds: float) -> None:
        """Use tools for about ``seconds`` at pace 1."""
        self._is("busy")
        acts = acts_of(draft, self._rng)
        with teamops.cycle():
            for act in acts:
                self._doing = f"{act.tool} {act.target}"
                self._show_call(act)
                self._rest(seconds / self._pace / (len(acts) + 1))
                self._transcript.act(act)
                self._console.say(*_shown(act.result), "")
                teamops.heartbeat(status="working", message=self._doing, tool_calls=1)
                self._next_beat = time.monotonic() + BEAT_S
            self._doing = "writing its block"
            self._rest(seconds / self._pace / (len(acts) + 1))
        self._doing = ""

    def _show_call(self, act: Act) -> None:
        if act.thought:
            self._console.say(f"● {act.thought}", "")
        self._console.say(f"{GREEN}●{RESET} {BOLD}{act.tool}{RESET}({act.target})")

    def _append(self, draft: Draft, still: Callable[[Sequence[Thread]], bool]) -> None:
        """Write the block if, with every other writer kept out, the file is ``still`` as it was when the work began."""
        block = render_block(
            draft.role,
            datetime.now(),  # noqa: DTZ005 - headings carry naive local times by the protocol
            draft.status,
            draft.turn,
            draft.tier,
            task=draft.task,
            gates=draft.gates,
            verdict=draft.verdict,
            sections=list(draft.sections),
        )

        def check(data: bytes) -> None:
            if not still(threads(entries(data))):
                raise TooLate

        try:
            append(self._path, block, check=check)
        except TooLate:
            self._console.say(f"{DIM}The light has moved on without me; I write nothing.{RESET}")
            return
        finally:
            self._file.look()
        where = {NONE: "The task is closed", HUMAN: "It waits for the person"}.get(draft.turn, f"Over to {draft.turn}")
        self._transcript.say(f"{where}: {draft.task}.")
        self._console.say(f"● {where}: {CYAN}{draft.task}{RESET}", "", f"{DIM}✻ Wrote its block{RESET}", "")

    def _is(self, state: str, waiting_for: str = "") -> None:
        """Change the status file's word."""
        if state != self._state:
            self._state = state
            self._transcript.status(state, waiting_for)

    def _rest(self, seconds: float, *, until_poked: bool = False) -> None:
        """Let time pass, awake to input, signals, the file and the owner; asleep or in a dialog, no time passes."""
        left = seconds
        while left > 0 or self._held:
            began = time.monotonic()
            self._look_up(SLICE_S if self._held else min(left, SLICE_S))
            if not self._held:
                left -= time.monotonic() - began
            if until_poked and self._poked:
                return

    @property
    def _held(self) -> bool:
        return self._asleep or self._dialog

    def _look_up(self, seconds: float) -> None:
        """Wait for input for so long, then see to everything else that has become due."""
        self._end_if_told()
        ready, _, _ = select.select([0], [], [], seconds)
        if ready:
            for line in self._console.read():
                self._hear(line)
        self._end_if_told()
        self._file.look()
        now = time.monotonic()
        # Asleep or in a dialog nothing runs that could beat: a beat within a cycle would pass for work.
        if now >= self._next_beat and not self._held:
            self._next_beat = now + BEAT_S
            teamops.heartbeat(status="working" if self._doing else "idle", message=self._doing)
        if self._folder is not None and now >= self._next_owner:
            self._next_owner = now + OWNER_S
            self._check_owner(self._folder)

    def _end_if_told(self) -> None:
        if self._signal or self._console.closed:
            raise Ended

    def _check_owner(self, folder: Path) -> None:
        """End with the owner, and see to it that somebody clears up."""
        if owner_gone(folder):
            if folder.exists():
                reaper.start(folder, os.environ)
            raise Ended

    def _hear(self, line: str) -> None:
        """Take a line that was typed: a poke, or a word that a drill knows."""
        self._console.say(f"{BLUE}{PROMPT}{RESET} {line}", "")
        self._transcript.user(line)
        self._poked = True
        self._file.look()  # the poke may be quicker than the look that it is about
        self._next_beat = 0.0
        was = self._state
        self._console.say(f"● {self._react(line.lower())}", "")
        self._transcript.say("Understood.")
        if self._held:
            self._is("waiting" if self._dialog else "idle", DIALOG if self._dialog else "")
        elif was == "waiting" or self._doing:
            self._is("busy" if self._doing else "idle")

    def _react(self, word: str) -> str:
        """Change what the word asks for, and say so."""
        if self._dialog:
            self._dialog = False
            return "Answered. I go on."
        if word == "sleep":
            self._asleep = True
            return "I look at nothing until I hear: wake"
        if word == "wake":
            self._asleep = False
            return "Awake."
        if word == "dialog":
            self._dialog = True
            return f"I need {DIALOG}\n  1. Yes\n  2. No".replace("\n", "\r\n")
        thread = turn_of(self._role, self._file.tasks)
        if self._asleep:
            return "(asleep)"
        if self._doing:
            return "On it already."
        return f"On it: {thread.task}." if thread is not None else "Thank you; it is not my turn."


def _shown(result: Sequence[str]) -> list[str]:
    """Return a tool's output as its client shows it, a diff in its colours."""
    lines = []
    for number, line in enumerate(result):
        colour = RED if line.startswith("- ") else GREEN if line.startswith("+ ") else ""
        lines.append(f"  {'⎿ ' if number == 0 else '  '} {colour}{line}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments and live."""
    parser = argparse.ArgumentParser(prog="teamops.demo.agent", description=__doc__)
    parser.add_argument("--role", required=True, type=role_of)
    parser.add_argument("--handoff", required=True, type=Path)
    parser.add_argument("--pace", type=float, default=1.0, help="how much quicker than a person would believe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="the demo's folder: the agent ends with its owner")
    given = parser.parse_args(arguments)
    if not given.pace > 0:  # so that NaN is refused too
        parser.error("--pace has to be greater than 0")
    path: Path = given.handoff.absolute()
    teamops.init(role=given.role, project=path.parent, interval=60)
    return Agent(given.role, path, pace=given.pace, seed=given.seed, folder=given.folder).run()


if __name__ == "__main__":
    sys.exit(main())
