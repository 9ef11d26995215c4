"""What a person wants done: each intent begins an act, and says how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from teamops.domain import alerts as alerts_rule
from teamops.domain import log_lines
from teamops.effects.poke_file import is_long, keep_text
from teamops.model.actions import By, Outcome, Poke, Start, Stop
from teamops.model.errors import TeamopsError
from teamops.model.role import HUMAN
from teamops.model.snapshot import (
    AcceptTamper,
    AckAlert,
    Intent,
    LiftBudget,
    LogLine,
    PokeRole,
    RestartRole,
    SettleViolation,
    SignOff,
    SilenceAlert,
    StartRole,
    StopRole,
    StopSpendingOf,
)
from teamops.supervisor import signing

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


def wish(core: Core, intent: Intent) -> asyncio.Future[Outcome]:
    """Begin what the person wants; the future gives its outcome."""
    match intent:
        case PokeRole():
            if is_long(intent.text):
                return _promise(core, _poke_by_file(core, intent), f"poke of {intent.role}")
            return core.acts.begin(Poke(role=intent.role, text=intent.text, by=By.PERSON))
        case RestartRole():
            return _promise(core, core.restarter.by_hand(intent.role), f"restart of {intent.role}")
        case StartRole():
            return core.acts.begin(Start(role=intent.role, by=By.PERSON))
        case StopRole():
            grace = core.book.settings.stop_grace_s if intent.grace_s is None else intent.grace_s
            return core.acts.begin(Stop(role=intent.role, by=By.PERSON, grace_s=grace))
        case LiftBudget():
            return _promise(core, _lift(core, intent), f"lift for {intent.scope}")
        case StopSpendingOf():
            return _promise(core, core.budgeting.stop_by_hand(intent.role), f"hard stop of {intent.role}")
        case SettleViolation():
            return _promise(core, _settle(core, intent), f"settling of violation {intent.violation}")
        case AckAlert() | SilenceAlert():
            return _say(core, _quieten(core, intent))
        case AcceptTamper():
            return _say(core, signing.accept(core, intent))
        case SignOff():
            return _promise(core, signing.sign_off(core, intent), f"sign-off of {intent.task or 'the task'}")


async def _poke_by_file(core: Core, intent: PokeRole) -> Outcome:
    """Keep a long text in a file, and type the line that names it."""
    settings = core.book.settings
    role = settings.role(intent.role)
    cwd = settings.root if role is None else role.cwd
    try:
        line = await asyncio.to_thread(keep_text, settings.root, cwd, intent.role, intent.text, core.book.stamp.wall)
    except TeamopsError as error:
        return Outcome(ok=False, message=error.message, hint=error.hint)
    return await core.acts.begin(Poke(role=intent.role, text=line, by=By.PERSON))


def _say(core: Core, outcome: Outcome) -> asyncio.Future[Outcome]:
    """Return ``outcome`` as a future that is over, and let everybody see what has changed."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    core.wake()
    return future


def _promise(core: Core, work: Coroutine[Any, Any, Outcome], name: str) -> asyncio.Future[Outcome]:
    """Begin ``work`` beside the loop; the future gives its outcome, and is cancelled with it."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def fulfil() -> None:
        try:
            outcome = await work
        except BaseException:
            future.cancel()
            raise
        if not future.done():
            future.set_result(outcome)
        core.wake()

    core.spawn(fulfil(), name)
    return future


async def _lift(core: Core, intent: LiftBudget) -> Outcome:
    around = await asyncio.to_thread(core.around)
    if around:
        message = f"only a person lifts a hold, and {around}"
        return Outcome(ok=False, message=message, hint="do it in a terminal of your own")
    try:
        outcome = core.budgeting.lift(intent.scope, intent.day_usd, signing.approver())
    except TeamopsError as error:
        return Outcome(ok=False, message=error.message, hint=error.hint)
    core.book.note(LogLine(core.book.stamp.wall, "action", f"budget: {outcome.message}", HUMAN))
    return outcome


async def _settle(core: Core, intent: SettleViolation) -> Outcome:
    around = await asyncio.to_thread(core.around)
    if around:
        message = f"only a person settles a violation, and {around}"
        return Outcome(ok=False, message=message, hint="do it in a terminal of your own")
    try:
        return await core.auditing.settle(core.book, intent, signing.approver())
    except TeamopsError as error:
        return Outcome(ok=False, message=error.message, hint=error.hint)


def _quieten(core: Core, intent: AckAlert | SilenceAlert) -> Outcome:
    book, wall = core.book, core.book.stamp.wall
    alert = book.alerts.get((intent.code, intent.subject))
    if alert is None or not alert.open:
        return Outcome(ok=False, message="that alert is over", hint="")
    if isinstance(intent, AckAlert):
        quiet = alerts_rule.acknowledge(alert, wall)
        line, said = log_lines.alert_line_of(quiet), "acknowledged"
    else:
        quiet = alerts_rule.speak(alert) if intent.end else alerts_rule.silence(alert, wall, intent.seconds)
        said = log_lines.silence_words(quiet.silence, wall)
        line = LogLine(wall, "alert", f"{said}: {alert.message}", alert.agent)
    trouble = core.memory.answer_alert(book, alert, quiet)
    if trouble:
        return Outcome(ok=False, message=trouble, hint="")
    book.alerts[alert.key] = quiet
    book.note(line)
    return Outcome(ok=True, message=said)
