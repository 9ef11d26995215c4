"""Random legal ways of a task through its tier, and single steps that break a rule.

Written from the rules in docs/protocol.md, not from the code that judges them: it knows no course and no station.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

IMPLEMENTERS = ("DEV", "COD")
GATES = "gates:runs,correct,complete"


@dataclass(frozen=True, slots=True)
class Step:
    """One block in short notation."""

    role: str
    turn: str
    words: tuple[str, ...] = ()

    def text(self, task: str) -> str:
        """Return it as notation."""
        return " ".join([f"{self.role}>{self.turn}", f"@{task}", *self.words])

    def has(self, start: str) -> bool:
        """Return whether one of its words starts so."""
        return any(word.startswith(start) for word in self.words)

    def without(self, start: str) -> Step:
        """Return it without the words that start so."""
        return replace(self, words=tuple(word for word in self.words if not word.startswith(start)))

    def plus(self, *words: str) -> Step:
        """Return it with more words."""
        return replace(self, words=(*self.words, *words))


@dataclass(slots=True)
class Way:
    """A legal way so far."""

    draw: Callable[[st.SearchStrategy[int]], int]
    tier: int
    steps: list[Step] = field(default_factory=list)
    owed: set[int] = field(default_factory=set)
    number: int = 0

    def maybe(self, chance: int = 3) -> bool:
        """Return ``True`` once in ``chance`` times."""
        return self.draw(st.integers(0, chance - 1)) == chance - 1

    def one(self, *choices: str) -> str:
        """Return one of ``choices``."""
        return choices[self.draw(st.integers(0, len(choices) - 1))]

    def go(self, role: str, turn: str, *words: str) -> None:
        """Write a block; the holder may write notes before it, and the person at any time."""
        while self.maybe(4):
            self.add(role if self.steps or role == "DIR" else "DIR", ".", "s:in_progress")
        if self.steps and self.maybe(8):
            self.add("HUM", "", "s:note")
        if role == "DIR" and self.owed:
            answers = ",".join(map(str, sorted(self.owed)))
            self.owed = set()
            if self.maybe(4):  # first answered in a note
                self.add("DIR", ".", f"say:{answers}")
            else:
                words = (*words, f"say:{answers}")
        self.add(role, turn, *words)

    def add(self, role: str, turn: str, *words: str) -> None:
        """Write a block, nothing else."""
        if not self.steps or self.maybe(3):
            words = (f"t{self.tier}", *words)
        self.steps.append(Step(role, turn, words))

    def review(self, turn: str, verdict: str, role: str = "REV") -> None:
        """Write a review, with or without challenges."""
        points = self.draw(st.integers(1 if verdict == "back" else 0, 2))
        new = list(range(self.number + 1, self.number + 1 + points))
        self.number += points
        if new and self.owed and self.maybe(4):
            new[0] = min(self.owed)  # the same point again
        self.go(role, turn, verdict, f"ask:{','.join(map(str, new))}" if new else "none")
        self.owed |= set(new)

    def ask_beside(self, *roles: str) -> None:
        """Let the DIRECTOR ask: a role beside the pipeline, or the person."""
        while self.maybe(4):
            role = self.one(*roles, "HUM")
            if role == "HUM":
                self.go("DIR", "HUM", "s:question")
                self.go("HUM", "DIR", "s:answered")
            else:
                self.go("DIR", role, "s:please_look")
                self.go(role, "DIR", *(("done", GATES) if role == "OPT" else ("s:answered",)))

    def build(self, role: str, turn: str) -> None:
        """Let an implementer, who has the light, build."""
        while self.maybe(5):
            who = self.one("DIR", "HUM")
            self.go(role, who, self.one("blocked", "s:question_about_point_2"))
            self.go(who, role, "s:answered")
        self.go(role, turn, "done", GATES)

    def design(self) -> None:
        """Open the task, and ask around."""
        if self.maybe(5):
            self.add("HUM", "DIR", "s:wish")
        self.ask_beside("PAR", "QA", "PAR")


def _tier_1(way: Way) -> None:
    way.ask_beside("PAR", "OPT", "QA")
    _close(way)


def _close(way: Way) -> None:
    if way.maybe(5):
        way.go("DIR", "NONE", way.one("withdrawn", "s:cancelled_by_the_customer"))
    else:
        way.go("DIR", "NONE", "done", GATES)


def _tier_2(way: Way) -> None:
    way.design()
    for _ in range(way.draw(st.integers(1, 3))):
        role = way.one(*IMPLEMENTERS)
        way.go("DIR", role)
        way.build(role, "DIR")
        way.ask_beside("OPT", "QA")
    _close(way)


def _tier_3(way: Way) -> None:
    way.design()
    role = way.one(*IMPLEMENTERS)
    _design_review(way, role)
    for _ in range(way.draw(st.integers(1, 2))):
        _code_review(way, role)
        if way.maybe(3):
            way.go("DIR", "OPT")
            way.go("OPT", "REV", "done", GATES)
            way.review("DIR", "ok")
        if way.maybe(3):
            break
        way.go("DIR", role, "s:one_more_thing")
    else:
        way.build(role, "REV")
        way.review("DIR", "ok")
    while way.maybe(3):
        way.go("DIR", "HUM", "done", GATES)
        way.go("HUM", "DIR", "s:sent_back")
    way.go("DIR", "HUM", "done", GATES)
    way.go("HUM", "NONE", "s:signed_off")


def _design_review(way: Way, role: str) -> None:
    while way.maybe(3):
        way.go("DIR", "REV")
        way.review("DIR", "back")
    how = way.draw(st.integers(0, 3))
    if how == 0:  # the person stands in
        way.go("DIR", "HUM")
        way.go("HUM", role)
        return
    way.go("DIR", "REV")
    if how == 1:
        way.review("DIR", "ok")
        way.go("DIR", role)
    else:
        way.review(role, "ok")


def _code_review(way: Way, role: str) -> None:
    while way.maybe(3):
        way.build(role, "REV")
        if way.maybe(2):
            way.review(role, "back")
        else:
            way.review("DIR", "back")
            way.go("DIR", role)
    if way.maybe(4):  # the person stands in
        way.build(role, "HUM")
        way.go("HUM", "DIR", "ok")
    else:
        way.build(role, "REV")
        way.review("DIR", "ok")


_TIERS = {1: _tier_1, 2: _tier_2, 3: _tier_3}


@st.composite
def ways(draw: Callable[[st.SearchStrategy[int]], int], tiers: tuple[int, ...] = (1, 2, 3)) -> list[Step]:
    """A task from its opening to its end, and perhaps opened again."""
    way = Way(draw, tiers[draw(st.integers(0, len(tiers) - 1))])
    _TIERS[way.tier](way)
    if way.maybe(4):
        way.owed = set()
        _TIERS[way.tier](way)
    return way.steps


@dataclass(frozen=True, slots=True)
class Broken:
    """A way of which one step breaks a rule."""

    steps: list[Step]
    at: int
    codes: frozenset[str]
    """One of them must be found at that step."""
    alone: bool = True
    """Nothing else is found: what follows is legal again."""


def _holders(steps: list[Step]) -> list[str]:
    """Return who holds the light before each step."""
    holders, holder = [], "NONE"
    for step in steps:
        holders.append(holder)
        holder = {".": step.role, "": holder}.get(step.turn, step.turn)
    return holders


def breaks(steps: list[Step]) -> Iterator[Broken]:
    """Give every single step that would break a rule of this legal way."""
    holders = _holders(steps)
    tier = max(int(word[1]) for step in steps for word in step.words if word in {"t1", "t2", "t3"})
    closed = [index for index, step in enumerate(steps) if step.turn == "NONE"]
    opened_again = closed[0] + 1 if closed else len(steps)
    first = steps[:opened_again]

    def changed(index: int, step: Step, *codes: str, alone: bool = True) -> Broken:
        return Broken([*steps[:index], step, *steps[index + 1 :]], index, frozenset(codes), alone)

    def dropped(index: int, *codes: str) -> Broken:
        return Broken([*steps[:index], *steps[index + 1 :]], index, frozenset(codes), alone=False)

    def inserted(index: int, step: Step, *codes: str) -> Broken:
        return Broken([*steps[:index], step, *steps[index:]], index, frozenset(codes), alone=len(codes) == 1)

    built: set[str] = set()
    handed_in = False
    for index, step in enumerate(steps):
        if index and steps[index - 1].turn == "NONE":
            built, handed_in = set(), False
        on = step.turn not in {"", ".", "NONE"}
        if step.has("gates") and (on or holders[index] != step.turn or index == 0):
            yield changed(index, step.without("gates"), "gates-missing")
            yield changed(index, step.without("gates").plus("gates:runs,complete"), "gates-missing")
            yield changed(index, step.without("gates").plus("gates:runs,correct!,complete"), "gate-unproven")
            yield changed(index, step.without("gates").plus("gates:runs,correct,complete=fail"), "gate-failed")
        if step.role == "REV" and on:
            yield changed(index, step.without("ask").without("none"), "no-challenges", alone=not step.has("ask"))
            yield changed(
                index, step.without("ask").without("none").plus("none!"), "no-challenges", alone=not step.has("ask")
            )
            if steps[index + 1 : index + 2] and steps[index + 1].role != "HUM":
                yield dropped(index, "two-lights", "not-holder")
            for role in built:
                swapped = replace(step, role=role)
                if step.turn != role:
                    yield changed(index, swapped, "self-review", alone=False)
            seen = [at for at in range(index) if steps[at].role in built]
            if seen and on and built:
                same = [*steps[: seen[-1]], steps[seen[-1]].plus("in:x"), *steps[seen[-1] + 1 :]]
                same[index] = step.plus("in:x")
                yield Broken(same, index, frozenset({"self-review"}))
        if step.role == "DIR" and step.has("say") and (on or step.turn == "NONE"):
            numbers = next(word for word in step.words if word.startswith("say"))[4:].split(",")
            fewer = step.without("say").plus(*([f"say:{','.join(numbers[1:])}"] if numbers[1:] else []))
            yield changed(index, fewer, "challenge-unanswered")
        if index and step.role != "HUM" and tier > 1 and holders[index] != "NONE":
            lowered = step.without("t1").without("t2").without("t3").plus(f"t{tier - 1}")
            yield changed(index, lowered, "tier-lowered")
        if step.role == "DIR" and step.turn == "HUM" and step.has("done"):
            yield changed(index, replace(step, turn="NONE"), "sign-off-skipped", alone=False)
        if step.role in IMPLEMENTERS and tier == 2 and step.has("done"):
            yield changed(index, replace(step, turn="NONE"), "verify-skipped", alone=False)
            yield changed(index, replace(step, turn="REV"), "turn-not-allowed", alone=False)
        if step.role in IMPLEMENTERS and tier == 3 and step.turn == "REV":
            yield changed(index, replace(step, turn="DIR"), "code-review-skipped", alone=False)
        if step.role == "DIR" and tier == 3 and step.turn == "REV" and not handed_in:
            yield changed(index, replace(step, turn="COD"), "design-review-skipped", alone=False)
        if step.role == "DIR" and tier == 2 and step.turn in IMPLEMENTERS:
            yield changed(index, replace(step, turn="REV"), "turn-not-allowed", alone=False)
            if not built and index < len(first) and not any(s.role not in {"DIR", "HUM"} for s in steps[:index]):
                yield changed(index, replace(step, turn="NONE").plus("done", GATES), "build-skipped", alone=False)
        if on and step.role == "DIR" and tier == 1:
            yield changed(index, replace(step, turn="DEV"), "turn-not-allowed", alone=False)
        holder = holders[index]
        if holder not in {"NONE", "HUM"}:
            other = "QA" if holder != "QA" else "OPT"
            yield inserted(index, Step(other, "DEV" if holder != "DEV" else "COD"), "two-lights")
            yield inserted(index, Step(other, holder), "not-holder")
            yield inserted(index, Step(other, ""), "not-holder")
            if handed_in and holder != "PAR":
                yield inserted(index, Step("PAR", holder), "not-holder", "partner-in-loop")
            if handed_in and holder == "DIR":
                asked = [*steps[:index], Step("DIR", "PAR"), Step("PAR", "DIR"), *steps[index:]]
                yield Broken(asked, index, frozenset({"partner-in-loop"}), alone=False)
            if step.role != "HUM":
                yield changed(index, replace(step, role=other), "two-lights", "not-holder", alone=False)
        if holder == "NONE" and step.role == "DIR" and step.turn != "":
            yield inserted(index, Step("QA", "DIR", (f"t{tier}",)), "not-holder")
        if step.role in IMPLEMENTERS:
            built.add(step.role)
        handed_in = handed_in or step.turn in {"REV", *IMPLEMENTERS}
