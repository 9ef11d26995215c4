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


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a legal way, and what holds before it."""

    steps: list[Step]
    index: int
    tier: int
    holder: str
    built: frozenset[str]
    handed_in: bool

    @property
    def step(self) -> Step:
        return self.steps[self.index]

    @property
    def hands_on(self) -> bool:
        return self.step.turn not in {"", "."} and (self.step.turn, self.holder) != ("NONE", "NONE")

    def changed(self, step: Step, *codes: str, alone: bool = True) -> Broken:
        steps = [*self.steps[: self.index], step, *self.steps[self.index + 1 :]]
        return Broken(steps, self.index, frozenset(codes), alone)

    def inserted(self, *steps: Step, codes: tuple[str, ...]) -> Broken:
        grown = [*self.steps[: self.index], *steps, *self.steps[self.index :]]
        return Broken(grown, self.index, frozenset(codes), alone=len(codes) == len(steps) == 1)

    def dropped(self, *codes: str) -> Broken:
        steps = [*self.steps[: self.index], *self.steps[self.index + 1 :]]
        return Broken(steps, self.index, frozenset(codes), alone=False)


def breaks(steps: list[Step]) -> Iterator[Broken]:
    """Give every single step that would break a rule of this legal way."""
    tier = max(int(word[1]) for step in steps for word in step.words if word in {"t1", "t2", "t3"})
    holder, built, handed_in = "", frozenset[str](), False
    for index, step in enumerate(steps):
        if holder == "NONE":
            built, handed_in = frozenset(), False
        place = Place(steps, index, tier, holder, built, handed_in)
        for broken in (_gates, _review, _answers, _tier, _end, _stations, _intruders):
            yield from broken(place)
        holder = {".": step.role, "": holder}.get(step.turn, step.turn)
        built |= {step.role} & set(IMPLEMENTERS)
        handed_in = handed_in or step.turn in {"REV", *IMPLEMENTERS}


def _gates(place: Place) -> Iterator[Broken]:
    if place.hands_on and place.step.has("gates"):
        bare = place.step.without("gates")
        yield place.changed(bare, "gates-missing")
        yield place.changed(bare.plus("gates:runs,complete"), "gates-missing")
        yield place.changed(bare.plus("gates:runs,correct!,complete"), "gate-unproven")
        yield place.changed(bare.plus("gates:runs,correct,complete=fail"), "gate-failed")


def _review(place: Place) -> Iterator[Broken]:
    step, index, steps = place.step, place.index, place.steps
    if step.role != "REV" or not place.hands_on:
        return
    yield place.changed(step.without("ok").without("back").plus("v:well"), "unclear-verdict", alone=False)
    silent = step.without("ask").without("none")
    yield place.changed(silent, "no-challenges", alone=not step.has("ask"))
    yield place.changed(silent.plus("none!"), "no-challenges", alone=not step.has("ask"))
    if index + 1 < len(steps) and steps[index + 1].role != "HUM":
        yield place.dropped("two-lights", "not-holder")
    for role in place.built - {step.turn}:
        yield place.changed(replace(step, role=role), "self-review", alone=False)
    mine = [at for at in range(index) if steps[at].role in place.built]
    if mine:
        same = [*steps[: mine[-1]], steps[mine[-1]].plus("in:x"), *steps[mine[-1] + 1 :]]
        same[index] = step.plus("in:x")
        yield Broken(same, index, frozenset({"self-review"}))


def _answers(place: Place) -> Iterator[Broken]:
    step = place.step
    if step.role == "DIR" and step.has("say") and place.hands_on:
        numbers = next(word for word in step.words if word.startswith("say:"))[4:].split(",")
        rest = [f"say:{','.join(numbers[1:])}"] if numbers[1:] else []
        yield place.changed(step.without("say").plus(*rest), "challenge-unanswered")


def _tier(place: Place) -> Iterator[Broken]:
    if place.index and place.step.role != "HUM" and place.tier > 1 and place.holder != "NONE":
        lowered = place.step.without("t1").without("t2").without("t3").plus(f"t{place.tier - 1}")
        yield place.changed(lowered, "tier-lowered")


def _end(place: Place) -> Iterator[Broken]:
    step = place.step
    if step.role == "DIR" and step.turn == "HUM" and step.has("done"):
        yield place.changed(replace(step, turn="NONE"), "sign-off-skipped", alone=False)
    if step.role in IMPLEMENTERS and place.tier == 2 and step.has("done"):
        yield place.changed(replace(step, turn="NONE"), "verify-skipped", alone=False)
    alone = all(before.role in {"DIR", "HUM"} for before in place.steps[: place.index])
    if step.role == "DIR" and step.turn in IMPLEMENTERS and place.tier == 2 and alone:
        yield place.changed(replace(step, turn="NONE").plus("done", GATES), "build-skipped", alone=False)


def _stations(place: Place) -> Iterator[Broken]:
    """Send the light past a station, or where the tier has none."""
    step, tier = place.step, place.tier
    if step.role in IMPLEMENTERS and tier == 2 and step.has("done"):
        yield place.changed(replace(step, turn="REV"), "turn-not-allowed", alone=False)
    if step.role in IMPLEMENTERS and tier == 3 and step.turn == "REV":
        yield place.changed(replace(step, turn="DIR"), "code-review-skipped", alone=False)
    if step.role == "DIR" and tier == 3 and step.turn == "REV" and not place.handed_in:
        yield place.changed(replace(step, turn="COD"), "design-review-skipped", alone=False)
    if step.role == "DIR" and tier == 2 and step.turn in IMPLEMENTERS:
        yield place.changed(replace(step, turn="REV"), "turn-not-allowed", alone=False)
    if step.role == "DIR" and tier == 1 and place.hands_on and step.turn != "NONE":
        yield place.changed(replace(step, turn="DEV"), "turn-not-allowed", alone=False)


def _intruders(place: Place) -> Iterator[Broken]:
    step, holder = place.step, place.holder
    if holder in {"", "NONE"}:
        if step.role == "DIR" and step.turn:
            yield place.inserted(Step("QA", "DIR", (f"t{place.tier}",)), codes=("not-holder",))
        return
    if holder == "HUM":
        return
    other = "QA" if holder != "QA" else "OPT"
    yield place.inserted(Step(other, "DEV" if holder != "DEV" else "COD"), codes=("two-lights",))
    yield place.inserted(Step(other, holder), codes=("not-holder",))
    yield place.inserted(Step(other, ""), codes=("not-holder",))
    if place.handed_in and holder != "PAR":
        yield place.inserted(Step("PAR", holder), codes=("partner-in-loop", "not-holder"))
    if place.handed_in and holder == "DIR":
        yield place.inserted(Step("DIR", "PAR"), Step("PAR", "DIR"), codes=("partner-in-loop",))
    if step.role != "HUM":
        yield place.changed(replace(step, role=other), "two-lights", "not-holder", alone=False)
