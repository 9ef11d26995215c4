"""The channel ``remote``: real apprise in its own process, real HTTP, and no secret in any word that comes back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

import pytest

from teamops.config.channels import RemoteSettings
from teamops.effects.channels import remote
from teamops.effects.channels.addresses import addresses, shown
from teamops.effects.channels.remote import RemoteChannel
from teamops.effects.channels.remote_worker import plain
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition
from tests.http_service import Reply, Service
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


def test_nothing_calls_a_whole_channel() -> None:
    assert plain("<!channel> @everyone [x](http://y) @ada") == "\u2039!channel\u203a @ everyone [x] (http://y) @ada"


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
    task = json.dumps({"urls": [f"json://ada:{PASSWORD}@h"], "title": "t", "body": "b", "kind": "info"})
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, str(tmp_path)],
        input=task, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout)["why"] == "defect"
    assert PASSWORD not in done.stdout
