"""The backlog of the demo's team: what its tasks are about, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from teamops.model.role import CODER, DEVELOPER, OPTIMIZER, PARTNER, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A reviewer's challenge and the answer that it gets."""

    point: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One task from its opening to its end."""

    task: str
    tier: int
    goal: str
    """Why it is done, in one sentence."""
    plan: tuple[str, ...]
    """Points of the design, or of the question in a consultation."""
    files: tuple[str, ...]
    built: str
    """What was done in the end; in a consultation, what was found."""
    runs: str
    """Evidence of the first gate."""
    correct: str
    """Evidence of the second gate."""
    complete: str
    """Evidence of the third gate."""
    worker: Role | None = None
    """Who builds it, or is asked; ``None``: the DIRECTOR alone."""
    design_objections: tuple[Objection, ...] = ()
    """Tier 3: with any, the first design review sends the design back."""
    code_objections: tuple[Objection, ...] = ()
    """Tier 3: with any, the first code review sends the code back."""
    remark: Objection | None = None
    """Tier 3: a point that can wait; the approval of the code carries it."""

    @property
    def consults(self) -> bool:
        """Return whether a role outside the pipeline is asked."""
        return self.worker in {PARTNER, OPTIMIZER}


PIPELINE: tuple[Story, ...] = (
    Story(
        task="delivery-timeouts",
        tier=2,
        goal="A receiver that accepts the connection and then says nothing holds a worker for ten minutes.",
        plan=(
            "Split the one timeout into connect (3 s) and read (10 s); both from the endpoint's settings.",
            "A timeout counts as a failed attempt and enters the usual retry ladder.",
            "The attempt's row says which of the two ran out.",
        ),
        files=("src/delivery/client.py", "src/delivery/attempts.py", "tests/delivery/test_timeouts.py"),
        built="Two timeouts per endpoint, and the attempt's row names the one that ran out.",
        runs="pytest -q tests/delivery: 41 passed",
        correct="a receiver that never answers frees its worker after 10.0 s, measured 10.02",
        complete="settings documented, migration 0019 with its way back",
        worker=DEVELOPER,
    ),
    Story(
        task="signed-payloads",
        tier=3,
        goal="Receivers can't tell our deliveries from anybody's who knows their address.",
        plan=(
            "Sign `timestamp.body` with HMAC-SHA256 and send it as `X-Signature: t=…,v1=…`.",
            "Two live secrets per endpoint, so that a receiver can rotate without losing a delivery.",
            "Secrets are stored encrypted and shown once.",
        ),
        files=("src/signing/hmac.py", "src/signing/secrets.py", "src/delivery/client.py", "tests/signing/test_hmac.py"),
        built="Every delivery is signed with each live secret; rotation keeps the old one for 24 hours.",
        runs="pytest -q: 268 passed",
        correct="the receiver example in docs/ verifies 1,000 recorded deliveries and refuses 1,000 altered ones",
        complete="docs/signing.md, receiver examples in three languages, rotation in the console",
        worker=DEVELOPER,
        design_objections=(
            Objection(
                point="What stops a replay of yesterday's delivery? Nobody is told to check the timestamp.",
                answer="A receiver must refuse timestamps older than 5 minutes: contract and examples say so now.",
            ),
            Objection(
                point="The old secret after a rotation: who ends it if the receiver never confirms?",
                answer="It ends by itself 24 hours after the rotation, whatever the receiver does.",
            ),
        ),
        code_objections=(
            Objection(
                point="`verify()` compares with `==`. That leaks the position of the first wrong byte.",
                answer="It is `hmac.compare_digest` now, with a test that fails on `==`.",
            ),
        ),
        remark=Objection(
            point="Only the receiver notices a clock that is five minutes off. This can wait.",
            answer="Right, and not for this task: the console will show the drift that receivers report.",
        ),
    ),
    Story(
        task="console-empty-state",
        tier=1,
        goal="A new account sees an empty table and does not know what to do next.",
        plan=("Say in one sentence what an endpoint is.", "Show the command that makes the first one."),
        files=("docs/console.md",),
        built="Wrote the words of the empty page and the one command that fills it.",
        runs="the page renders in the preview at 360 and 1440 px",
        correct="three people who never saw it found the first step in under 20 s",
        complete="docs/console.md names the page",
    ),
    Story(
        task="retry-jitter",
        tier=2,
        goal="After an outage all retries arrive in the same second and take the receiver down again.",
        plan=(
            "Full jitter: wait a uniform random time between 0 and the ladder's step.",
            "The random source is passed in, so tests can fix it.",
            "No change to the number of attempts.",
        ),
        files=("src/delivery/ladder.py", "tests/delivery/test_ladder.py"),
        built="Full jitter on every step of the ladder, with the random source as an argument.",
        runs="pytest -q tests/delivery: 47 passed",
        correct="10,000 simulated retries after an outage: busiest second 1.3 % of them, before 100 %",
        complete="docs/retries.md has the new curve",
        worker=CODER,
    ),
    Story(
        task="tenant-isolation",
        tier=3,
        goal="A slow tenant's queue must not delay anybody else's deliveries.",
        plan=(
            "One virtual queue per tenant; workers take from them in turn.",
            "A tenant may hold at most a quarter of the workers.",
            "The queue's age per tenant goes to the metrics.",
        ),
        files=("src/queue/fair.py", "src/queue/worker.py", "src/metrics.py", "tests/queue/test_fair.py"),
        built="Workers take from the tenants in turn; nobody holds more than a quarter of them.",
        runs="pytest -q: 281 passed",
        correct="one tenant with 50,000 waiting deliveries: p99 of the others 0.4 s, before 212 s",
        complete="metrics, dashboard and the operator's page",
        worker=CODER,
        code_objections=(
            Objection(
                point="With three workers a quarter is zero: `limit = workers // 4`. Then nothing is delivered at all.",
                answer="At least one, always; the test runs with 1 to 8 workers.",
            ),
            Objection(
                point="A tenant without waiting work stays in the ring for ever. 20,000 idle tenants cost each turn.",
                answer="Empty queues leave the ring and come back with their next delivery; idle tenants cost 0.",
            ),
        ),
        remark=Objection(
            point="A quarter of the workers is a guess. This can wait until there are figures of a month.",
            answer="Agreed: the metric is there, and the share is looked at again in a month.",
        ),
    ),
    Story(
        task="dead-letter-export",
        tier=2,
        goal="Support answers 'which deliveries did we lose on Tuesday?' by hand.",
        plan=(
            "`GET /dead-letters.csv?from=&to=` streams, never builds the file in memory.",
            "Times in UTC, ISO 8601; the body's hash, not the body.",
            "At most 31 days per request.",
        ),
        files=("src/api/dead_letters.py", "tests/api/test_dead_letters.py"),
        built="The export streams row by row and names the span it covers in its first line.",
        runs="pytest -q tests/api: 88 passed",
        correct="2,000,000 rows: 41 s, memory flat at 96 MB",
        complete="docs/api.md, changelog",
        worker=DEVELOPER,
    ),
    Story(
        task="release-notes-3.2",
        tier=1,
        goal="Version 3.2 is ready, and its notes are a list of commit lines.",
        plan=("What changes for a receiver, first.", "One example per change."),
        files=("CHANGELOG.md",),
        built="Rewrote the notes from a receiver's point of view; each change has its example.",
        runs="every example was run against 3.2",
        correct="compared with the diff of the API's description: nothing left out",
        complete="CHANGELOG.md, link from the console",
    ),
    Story(
        task="idempotency-keys",
        tier=3,
        goal="A receiver that answers too late gets the same event twice and books it twice.",
        plan=(
            "Each event carries `Idempotency-Key`, the same over all its attempts.",
            "The key is the event's id, never derived from the body.",
            "A replay from the console gets a new key only when the person asks for it.",
        ),
        files=("src/events/keys.py", "src/delivery/client.py", "src/api/replay.py", "tests/events/test_keys.py"),
        built="One key per event over all attempts; a replay says which of the two it is.",
        runs="pytest -q: 296 passed",
        correct="a receiver that answers after 11 s books 500 of 500 events once",
        complete="docs/idempotency.md, console wording",
        worker=DEVELOPER,
        design_objections=(
            Objection(
                point="Batches: one delivery, many events. Whose key does the header carry?",
                answer="A batch has a key of its own, and each event inside keeps its own; both are in the design now.",
            ),
        ),
        remark=Objection(
            point="Nothing tells a receiver for how long a key stays the same. That can wait for 3.3.",
            answer="The sentence is in docs/idempotency.md already: as long as the event is retried, seven days.",
        ),
    ),
    Story(
        task="slow-endpoint-warning",
        tier=2,
        goal="An endpoint that takes eight of its ten seconds is a failure that has not happened yet.",
        plan=(
            "Warn when the p95 of an hour is over 70 % of the read timeout.",
            "One warning per endpoint and day.",
            "It clears by itself after an hour below 50 %.",
        ),
        files=("src/alerts/slow.py", "tests/alerts/test_slow.py"),
        built="The warning with its two thresholds, and nothing in between flaps.",
        runs="pytest -q tests/alerts: 33 passed",
        correct="replayed the last 30 days: 9 warnings, 7 of them before a real outage",
        complete="docs/alerts.md",
        worker=CODER,
    ),
)
"""Tasks of the pipeline, in the order in which they are opened."""

CONSULTATIONS: tuple[Story, ...] = (
    Story(
        task="research-queue-backends",
        tier=2,
        goal="Before the queue grows another feature: does it still have to be our own?",
        plan=("What would we lose with a stock queue?", "What do teams of our size report after a year with one?"),
        files=("research/queue-backends.md",),
        built="Two of four candidates keep order per tenant; both need a second store for delays. Staying costs less.",
        runs="each candidate was run with our recorded hour of traffic",
        correct="figures from two runs, they agree within 4 %",
        complete="research/queue-backends.md with sources",
        worker=PARTNER,
    ),
    Story(
        task="trim-delivery-room",
        tier=2,
        goal="The delivery room grew by a third this month. What in it is not needed any more?",
        plan=("Code that no path reaches.", "The two copies of the header builder."),
        files=("src/delivery/headers.py", "src/delivery/legacy.py"),
        built="312 lines less: the old header builder and a flag that has been on since March.",
        runs="pytest -q: 268 passed, same as before",
        correct="1,000 recorded deliveries give byte-identical requests",
        complete="nothing new, the flag left the settings page too",
        worker=OPTIMIZER,
    ),
    Story(
        task="research-receiver-limits",
        tier=2,
        goal="What rates do real receivers accept before they answer 429?",
        plan=("Look at our own last quarter.", "Look at what the twenty largest say in their documentation."),
        files=("research/receiver-limits.md",),
        built="Half of them name a limit; the median is 50 a second, and nine in ten answer Retry-After.",
        runs="the query is in the note and takes 12 s",
        correct="spot-checked 40 answers by hand",
        complete="research/receiver-limits.md with sources",
        worker=PARTNER,
    ),
    Story(
        task="trim-test-time",
        tier=2,
        goal="The tests take four minutes, and people begin to skip them.",
        plan=("Which ten tests take half of the time?", "What do they wait for?"),
        files=("tests/conftest.py", "tests/delivery/test_ladder.py"),
        built="Three fixtures waited on the clock; they wait on the event now. 4:05 became 1:12.",
        runs="pytest -q: 296 passed in 72 s",
        correct="each changed test was seen to fail with its subject broken",
        complete="no test was removed",
        worker=OPTIMIZER,
    ),
)
"""Questions to a role outside the pipeline, each a task of its own."""

LEFT_OPEN = Story(
    task="retry-ladder",
    tier=2,
    goal="The list of waiting events sends them all at once.",
    plan=("The first 100 and the total.", "Paging by `after=<id>`."),
    files=("src/api/operator.py", "tests/api/test_operator.py", "docs/runbook.md"),
    built="The list sends the first 100 and the total, and goes on by `after=<id>`.",
    runs="pytest -q: 211 passed",
    correct="200,000 waiting events: 21 ms, before 2.8 s",
    complete="tests, docs/runbook.md",
    worker=CODER,
)
"""The task whose light is on at the end of the sample: the demo's agents carry it on."""

STORIES = {story.task: story for story in (*PIPELINE, *CONSULTATIONS, LEFT_OPEN)}
