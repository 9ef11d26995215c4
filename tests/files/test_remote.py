"""The channel ``remote``: real apprise in its own process, real HTTP, and no secret in any word that comes back."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.channels import RemoteSettings
from teamops.effects.channels import remote
from teamops.effects.channels.addresses import addresses, shown
from teamops.effects.channels.plain import plain
from teamops.effects.channels.remote import RemoteChannel
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition
from tests.http_service import Reply, Service, Tarpit
from tests.mail_server import MailServer

PASSWORD = "hunter22-very-secret"  # noqa: S105 - none at all
PAGE = Page(
    id="p1",
    transition=Transition.FIRED,
    keys=(("agent-dead", "CODER"),),
    thread="agent-dead CODER",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: CODER is dead",
    body="killed by <b>signal</b> 9",
    do="restart it (r)",
    wall=0.0,
)


def channel(*urls: str, timeout_s: float = 20.0) -> RemoteChannel:
    return RemoteChannel(RemoteSettings(urls=urls, timeout_s=timeout_s))


def silent(receipt: Receipt, *more: object) -> None:
    assert PASSWORD not in "".join(map(str, (receipt, *more)))


async def until(look: Callable[[], object], deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not look():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_a_webhook_is_given_the_page() -> None:
    with Service() as service:
        receipt = await channel(f"json://ada:{PASSWORD}@127.0.0.1:{service.port}/hook/{PASSWORD}").deliver(PAGE)
        [got] = service.got
    assert receipt == Receipt(
        ok=True, message="taken by json://127.0.0.1", evidence="json://127.0.0.1: HTTP 200, id Xy3"
    )
    silent(receipt)
    assert got.path == f"/hook/{PASSWORD}"
    assert (got.body["title"], got.body["type"]) == ("shop: CODER is dead", "failure")
    assert got.body["message"] == "killed by <b>signal</b> 9\nRestart it (r)"


async def test_ntfy_is_given_the_page_loudly_and_without_markup() -> None:
    with Service() as service:
        url = f"ntfy://127.0.0.1:{service.port}/{PASSWORD}"
        receipt = await channel(url).deliver(PAGE)
        quiet = await channel(url).deliver(replace(PAGE, severity=Severity.WARNING))
        loud, soft = service.got
    assert receipt.ok
    assert quiet.ok
    assert receipt.evidence == "ntfy://127.0.0.1: HTTP 200, id Xy3"
    silent(receipt)
    assert loud.body["topic"] == PASSWORD
    assert "\u2039b\u203asignal\u2039/b\u203a" in loud.body["message"]
    assert (loud.headers.get("X-Priority"), soft.headers.get("X-Priority")) == ("max", None)


@pytest.mark.parametrize(
    ("status", "retry"), [(400, False), (401, False), (404, False), (408, True), (429, True), (500, True), (503, True)]
)
async def test_a_refusal_is_said_with_its_number(status: int, *, retry: bool) -> None:
    with Service(Reply(status, body=f"no: {PASSWORD}".encode())) as service:
        receipt = await channel(f"json://ada:{PASSWORD}@127.0.0.1:{service.port}").deliver(PAGE)
    assert (receipt.ok, receipt.retry, receipt.absent) == (False, retry, False)
    assert receipt.message == f"json://127.0.0.1: HTTP {status}"
    assert receipt.hint
    silent(receipt)


async def test_a_service_that_says_when_is_heard() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    replies = [Reply(429, {"Retry-After": told}) for told in ("7", later, "soon", "-3")]
    with Service(*replies) as service:
        one = channel(f"json://127.0.0.1:{service.port}")
        waits = [(await one.deliver(PAGE)).after_s for _ in replies]
    assert waits[0] == 7.0
    assert waits[1] == pytest.approx(100, abs=20)
    assert waits[2:] == [None, 0.0]


async def test_no_service_waits_for_the_pause_that_another_asks_for() -> None:
    with Service(Reply(429, {"Retry-After": "3600"})) as busy, Service(Reply(503)) as down:
        receipt = await channel(*(f"json://127.0.0.1:{port}" for port in (busy.port, down.port))).deliver(PAGE)
        assert (receipt.retry, receipt.after_s) == (True, None)
    with Service(Reply(429, {"Retry-After": "3600"})) as busy, Service(Reply(429, {"Retry-After": "5"})) as other:
        receipt = await channel(*(f"json://127.0.0.1:{port}" for port in (busy.port, other.port))).deliver(PAGE)
        assert receipt.after_s == 5.0


async def test_what_is_down_is_said_and_tried_again() -> None:
    with Service() as service:
        port = service.port
    receipt = await channel(f"json://ada:{PASSWORD}@127.0.0.1:{port}").deliver(PAGE)
    assert (receipt.ok, receipt.retry) == (False, True)
    assert receipt.message == "json://127.0.0.1: it can't be reached"
    silent(receipt)


async def test_a_service_that_hangs_is_left_in_time() -> None:
    with Service(Reply(after_s=60.0)) as service:
        began = time.monotonic()
        receipt = await channel(f"json://ada:{PASSWORD}@127.0.0.1:{service.port}?rto=50", timeout_s=3.0).deliver(PAGE)
        assert time.monotonic() - began < 10.0
        assert len(service.got) == 1
    assert (receipt.ok, receipt.retry, receipt.message) == (False, True, "json://127.0.0.1: it did not answer in time")
    silent(receipt)


async def test_a_service_of_no_answer_is_late_by_apprises_own_count() -> None:
    with Service(Reply(after_s=60.0)) as service:
        receipt = await channel(f"json://127.0.0.1:{service.port}?rto=0.3").deliver(PAGE)
    assert receipt.message == "json://127.0.0.1: it did not answer in time"


async def test_one_that_never_comes_to_an_end_delays_no_other() -> None:
    with Tarpit() as tarpit, Service() as first, Service() as last:
        urls = [f"json://127.0.0.1:{port}" for port in (tarpit.port, first.port, last.port)]
        three = channel(*urls, timeout_s=5.0)
        attempt = asyncio.create_task(three.deliver(PAGE))
        await until(lambda: first.got and last.got and tarpit.asked.is_set(), 4.5)
        assert not attempt.done()
        receipt = await attempt
        assert (len(first.got), len(last.got)) == (1, 1)
    assert (receipt.ok, receipt.retry) == (False, True)
    assert receipt.message == "json://127.0.0.1: it did not answer in time (2 of 3 took it)"
    assert receipt.hint


async def test_who_leaves_meanwhile_does_not_wait_for_the_slow_one() -> None:
    with Tarpit() as tarpit:
        attempt = asyncio.create_task(channel(f"json://127.0.0.1:{tarpit.port}", timeout_s=60.0).deliver(PAGE))
        await until(tarpit.asked.is_set)
        began = time.monotonic()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await asyncio.get_running_loop().shutdown_default_executor()
        assert time.monotonic() - began < 5.0


async def test_nor_do_more_of_them_than_any_pool_has_room_for() -> None:
    with ExitStack() as stack, Service() as good:
        slow = [stack.enter_context(Tarpit()) for _ in range(12)]
        urls = [f"json://127.0.0.1:{port}" for port in (*(tarpit.port for tarpit in slow), good.port)]
        attempt = asyncio.create_task(channel(*urls, timeout_s=60.0).deliver(PAGE))
        await until(lambda: good.got)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt


SPAWNS = (
    "from teamops.effects.channels import remote_worker as w; w.START = 'spawn'; __name__ == '__main__' and w.main()"
)


async def test_where_libraries_do_not_live_through_a_fork_the_same_is_done_without_one() -> None:
    with Tarpit() as tarpit, Service() as good:
        urls = (f"json://127.0.0.1:{tarpit.port}", f"json://127.0.0.1:{good.port}")
        program = (sys.executable, "-P", "-c", SPAWNS)
        receipt = await RemoteChannel(RemoteSettings(urls=urls, timeout_s=8.0), program).deliver(PAGE)
        assert len(good.got) == 1
    assert receipt.message == "json://127.0.0.1: it did not answer in time (1 of 2 took it)"


def test_a_worker_that_nobody_waits_for_ends_by_itself() -> None:
    with Tarpit() as tarpit:
        task = {"urls": [f"json://127.0.0.1:{tarpit.port}"], "title": "t", "body": "b", "kind": "info", "limit_s": 2.0}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "teamops.effects.channels.remote_worker"],
            input=json.dumps(task), capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    said = json.loads(done.stdout)
    assert (said["n"], said["ok"], said["why"]) == (0, False, "late")


async def test_what_one_service_took_it_is_not_given_again() -> None:
    with Service() as good, Service(Reply(503), Reply()) as late:
        urls = (f"json://127.0.0.1:{good.port}", f"json://127.0.0.1:{late.port}")
        first = await channel(*urls).deliver(PAGE)
        second = await channel(*urls).deliver(replace(PAGE, parts=first.parts))
        assert (len(good.got), len(late.got)) == (1, 2)
        assert (first.ok, first.retry, first.message) == (False, True, "json://127.0.0.1: HTTP 503 (1 of 2 took it)")
        assert (second.ok, second.message) == (True, "taken by all 2 services")
        assert second.evidence.count("taken before") == 1
        await channel(*urls[::-1]).deliver(replace(PAGE, parts=first.parts))
        assert (len(good.got), len(late.got)) == (2, 3), "another address at that place is another one"
    silent(first, first.parts)


async def test_what_one_service_refused_for_good_is_no_reason_to_call_it_again() -> None:
    with Service(Reply(404)) as gone, Service(Reply(503), Reply()) as late:
        both = channel(f"json://127.0.0.1:{gone.port}", f"json://127.0.0.1:{late.port}")
        first = await both.deliver(PAGE)
        second = await both.deliver(replace(PAGE, parts=first.parts))
        assert (len(gone.got), len(late.got)) == (1, 2)
    assert first.retry
    assert (second.ok, second.retry) == (False, False)
    assert "refused before (1 of 2 took it)" in second.message


@pytest.mark.parametrize("url", [f"nonsense://{PASSWORD}", f"tgram://{PASSWORD}"])
async def test_an_address_that_apprise_does_not_know_is_said(url: str) -> None:
    receipt = await channel(url).deliver(PAGE)
    assert (receipt.ok, receipt.retry) == (False, False)
    assert receipt.message == f"{url.partition(':')[0]}: apprise knows no such address"
    silent(receipt)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("raise SystemExit(3)", id="one that dies"),
        pytest.param("print('[1]'); print('{}'); print('{\"n\": \"x\"}'); print('nonsense')", id="one that babbles"),
        pytest.param("import os; os.kill(os.getpid(), 9)", id="one that is killed"),
    ],
)
async def test_a_broken_worker_is_no_delivery(program: str) -> None:
    one = RemoteChannel(RemoteSettings(urls=(f"json://u:{PASSWORD}@h",)), (sys.executable, "-c", program))
    receipt = await one.deliver(PAGE)
    assert not receipt.ok
    assert receipt.message.startswith("json://h: ")
    silent(receipt)


async def test_no_agents_file_takes_apprises_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    with Service() as service:
        assert (await channel(f"json://127.0.0.1:{service.port}").deliver(PAGE)).ok
    assert not (tmp_path / "sprung").exists()


async def test_without_apprise_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "find_spec", lambda _: None)
    one = channel("json://h")
    assert "pip install" in await one.start(lambda _: None)
    receipt = await one.deliver(PAGE)
    assert (receipt.ok, receipt.retry, receipt.absent) == (False, False, False)
    assert "teamops[remote]" in receipt.hint


def kept(path: Path, text: str, mode: int = 0o600) -> RemoteSettings:
    path.write_text(text)
    path.chmod(mode)
    return RemoteSettings(urls_file=path)


def test_addresses_come_from_all_three_places_once(tmp_path: Path) -> None:
    settings = replace(kept(tmp_path / "u", "# mine\n\n json://c \njson://a\n"), urls=("json://a",), urls_env="PAGES")
    assert addresses(settings, {"PAGES": "json://b, json://b"}) == ("json://a", "json://b", "json://c")


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        pytest.param(f"json://{PASSWORD}", 0o640, "not yours alone", id="readable to others"),
        pytest.param(PASSWORD, 0o600, "address 1 of 1 is none", id="no address"),
        pytest.param("# nothing", 0o600, "there is no address", id="empty"),
        pytest.param("\n".join(f"json://{n}" for n in range(40)), 0o600, "40 addresses, and 32 at most", id="too many"),
        pytest.param("#" * 70_000, 0o600, "no file of addresses", id="too long"),
    ],
)
async def test_a_file_that_can_not_be_used_is_refused(tmp_path: Path, text: str, mode: int, why: str) -> None:
    one = RemoteChannel(kept(tmp_path / "u", text, mode))
    assert why in await one.start(lambda _: None)
    receipt = await one.deliver(PAGE)
    assert (receipt.ok, receipt.retry) == (False, False)
    assert why in receipt.message
    assert receipt.hint
    silent(receipt)


def folder(path: Path) -> None:
    path.mkdir(mode=0o700)


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def not_text(path: Path) -> None:
    path.write_bytes(b"json://caf\xe9.example\n")
    path.chmod(0o600)


def vast(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (folder, "is no file of addresses"),
        (pipe, "is no file of addresses"),
        (endless, "is no file of addresses"),
        (vast, "is no file of addresses"),
        (not_text, "is not written in UTF-8"),
    ],
)
async def test_what_is_no_file_of_addresses_keeps_nobody_waiting(
    tmp_path: Path, made: Callable[[Path], None], why: str
) -> None:
    made(tmp_path / "urls")
    one = RemoteChannel(RemoteSettings(urls_file=tmp_path / "urls"))
    async with asyncio.timeout(5.0):
        assert why in await one.start(lambda _: None)
        receipt = await one.deliver(PAGE)
    assert (receipt.ok, receipt.retry) == (False, False)
    assert why in receipt.message
    assert receipt.hint


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TeamopsError, match="No such file"):
        addresses(RemoteSettings(urls_file=tmp_path / "none"))
    with pytest.raises(TeamopsError, match="PAGES holds no address"):
        addresses(RemoteSettings(urls_env="PAGES"), {})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"json://ada:{PASSWORD}@example.org:8080/{PASSWORD}?x={PASSWORD}", "json://example.org"),
        (f"mailtos://ada:{PASSWORD}@example.org", "mailtos://example.org"),
        (f"ntfy://{PASSWORD}", "ntfy"),
        (f"ntfys://example.org/{PASSWORD}", "ntfys://example.org"),
        (f"slack://{PASSWORD}/b/c", "slack"),
        (f"tgram://{PASSWORD}/1", "tgram"),
        (f"json://[{PASSWORD}", "an address"),
    ],
)
def test_of_an_address_only_what_is_no_secret_is_shown(url: str, said: str) -> None:
    assert shown(url) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!channel> <!here> <@U123>", "\u2039!channel\u203a \u2039!here\u203a \u2039@ U123\u203a"),
        ("@everyone @here (@ada) ada@example.org", "@ everyone @ here (@ ada) ada@example.org"),
        ("[x](http://evil.example/a.b)", "[x] (http[:]//evil[.]example/a.b)"),
        ("see https://evil.example:80/a.b?c", "see https[:]//evil[.]example:80/a.b?c"),
        ("HTTPS://EVIL.EXAMPLE tg://x a://b://c.d", "HTTPS[:]//EVIL[.]EXAMPLE tg[:]//x a[:]//b[:]//c[.]d"),
        ("WWW.evil.example/x www.", "WWW[.]evil[.]example/x www[.]"),
        ("x://a.(b", "x[:]//a[.] (b"),
        ("**bold** `code` <b>b</b>", "\u2217\u2217bold\u2217\u2217 'code' \u2039b\u203ab\u2039/b\u203a"),
        ("__init__.py handler_2.py _it_", "\u02cd\u02cdinit\u02cd\u02cd.py handler_2.py \u02cdit\u02cd"),
        ("~~gone~~ ~town ~/home", "\u223c\u223cgone\u223c\u223c \u223ctown ~/home"),
        ("||hidden||", "| |hidden| |"),
        ("a\n# b\n -# c #1", "a\n\uff03 b\n -\uff03 c #1"),
        ("CODER is dead: killed by signal 9 (a/b.py:12)", "CODER is dead: killed by signal 9 (a/b.py:12)"),
    ],
)
def test_for_a_chat_texts_are_texts(text: str, said: str) -> None:
    assert plain(text) == said


@given(st.one_of(st.text(), st.text("<>@[]()*_~`|#:/.wW a1\n")))
def test_nothing_in_any_text_is_more_than_text(text: str) -> None:
    said = plain(text)
    for sign in ("<", ">", "://", "](", "*", "`", "||", "__", "~~"):
        assert sign not in said
    assert not re.search(r"(?<!\w)@\w|(?i:(?<![\w.])www\.)|(?m:^\s*#)", said)
    assert plain(said) == said


async def test_a_service_is_given_no_links_and_no_calls() -> None:
    page = replace(PAGE, title="@everyone *now*", body="[x](https://evil.example) \u202e\u200b<!channel>", do="")
    with Service() as service:
        assert (await channel(f"mmost://127.0.0.1:{service.port}/{'a' * 24}").deliver(page)).ok
        [got] = service.got
    said = " ".join(got.body["text"].split())
    assert said == "@ everyone \u2217now\u2217 [x] (https[:]//evil[.]example) \u2039!channel\u203a"


def mailbox(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?from=teamops@example.org&to={PASSWORD}@example.org&mode=insecure"


async def test_a_letter_is_sent_and_its_words_are_no_markup() -> None:
    with MailServer() as server:
        receipt = await channel(mailbox(server.port)).deliver(PAGE)
        [letter] = server.letters
    assert (receipt.ok, receipt.message, receipt.evidence) == (
        True,
        "taken by mailto://127.0.0.1",
        "mailto://127.0.0.1: taken",
    )
    silent(receipt)
    mail = message_from_string(letter, policy=default)
    assert mail["Subject"] == "shop: CODER is dead"
    bodies = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert bodies
    for body in bodies:
        assert "killed by" in body
        assert "<b>" not in body


async def test_a_letter_that_is_refused_is_tried_again() -> None:
    with MailServer(refuses=True) as server:
        receipt = await channel(mailbox(server.port)).deliver(PAGE)
    assert (receipt.ok, receipt.retry, receipt.message) == (False, True, "mailto://127.0.0.1: it was not taken")
    silent(receipt)


FAKE = """
import logging, sys
class AppriseAsset:
    def __init__(self, **_): pass
class Apprise:
    def __init__(self, asset): pass
    def add(self, url):
        logging.getLogger("apprise").error("no: %s", url)
        print(url, file=sys.stderr)
        raise ValueError(f"can't send to {url}")
"""
RUN = "import sys; sys.path.insert(0, sys.argv[1]); from teamops.effects.channels.remote_worker import main; main()"


async def test_what_a_library_says_of_its_failure_gets_nowhere(tmp_path: Path) -> None:
    (tmp_path / "apprise.py").write_text(FAKE)
    settings = RemoteSettings(urls=(f"json://ada:{PASSWORD}@h",))
    receipt = await RemoteChannel(settings, (sys.executable, "-P", "-c", RUN, str(tmp_path))).deliver(PAGE)
    assert (receipt.ok, receipt.message) == (False, "json://h: apprise failed")
    silent(receipt)


def test_nor_out_of_its_process(tmp_path: Path) -> None:
    (tmp_path / "apprise.py").write_text(FAKE)
    task = json.dumps(
        {"urls": [f"json://ada:{PASSWORD}@h"], "title": "t", "body": "b", "kind": "info", "limit_s": 20.0}
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(tmp_path)],
        input=task, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout)["why"] == "defect"
    assert PASSWORD not in done.stdout
