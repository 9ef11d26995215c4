"""The gates that a block claims: in its Gates field, and in a checklist under a section of that name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from teamops.handoff.challenges import Written
from teamops.handoff.lines import Kind
from teamops.model.handoff import GATES, Gate, GateResult
from teamops.model.text import clean_line

EVIDENCE_LIMIT = 500
TEXT_LIMIT = 4_000
"""So many characters of a field, or of one item, are read."""

_TITLE = re.compile(
    r"\W*(?:the\s+)?(?:three\s+)?(?:(?P<gates>(?:completion|quality|done)?\s*gates?|completion)(?:\s+(?:checklist|checks?|status))?"
    r"|completion\s+check(?:list|s)?|done|definition\s+of\s+done)\W*",
    re.IGNORECASE,
)
_SIGNS = dict.fromkeys("✓✔✅☑🟢👍", True) | dict.fromkeys("✗✘❌☒×✖🔴👎", False)  # noqa: RUF001 - signs as people write them
_CODES = {":white_check_mark:": True, ":heavy_check_mark:": True, ":x:": False, ":heavy_multiplication_x:": False}
_WORDS = (
    dict.fromkeys(("pass", "passed", "passes", "passing", "ok", "okay", "yes", "true", "done", "green", "met"), True)
    | dict.fromkeys(("fail", "failed", "fails", "failing", "failure", "no", "false", "red", "broken"), False)
    | dict.fromkeys(("not passed", "not passing", "not met", "not ok", "not done", "not run", "not yet"), False)
)
_STRONG = re.compile(r"pass|fail|ok|yes", re.IGNORECASE)
"""Words that say it even without a delimiter after them."""
_NO_EVIDENCE = frozenset(
    (
        "",
        *("na", "none", "nothing", "todo", "tbd", "wip", "pending", "unknown", "later", "evidence"),
        *("seeabove", "seebelow", "above", "below", "trustme", "asabove", "same"),
        *(word.replace(" ", "") for word in _WORDS),
    )
)

_NONE_YET = re.compile(
    r"[\s_\u2013\u2014.-]*|\W*(?:none|n/?a|no gates?|not (?:yet|run|applicable)|todo|tbd|pending|later|open)\b.*",
    re.IGNORECASE,
)
"""Gates that are not claimed, and say so."""
_NOT_APPLICABLE = re.compile(
    r"(?:n\s*/\s*a|n\.\s?a\.|(?:is\s+)?not\s+applicable|does\s+not\s+apply|doesn.t\s+apply)(?!\w)"
    r"|(?:todo|tbd)(?:\s*[:,(]|\s+[\u2013\u2014-]+\s)",
    re.IGNORECASE,
)
"""Evidence that begins so says why there is none."""
_FAILURES = re.compile(
    r"(?<![\w.,])([0-9]+)(?:\s*(?:of|/)\s*[0-9]+)?\s+(?:(?:tests?|checks?|specs?)\s+)?(?:failed|failing|failures?)"
    r"(?=\s*(?:$|[,;.)|/]|in\s+[0-9]|and\s+[0-9]))|(?:failed|failures)\s*[:=]\s*([0-9]+)(?![\w.])",
    re.IGNORECASE,
)
"""What test runners count in their last line; "3 failed deliveries" were no tests."""
_EARLIER = re.compile(
    r"\b(?:before|previously|earlier|first|was|were|had|without|expected|as (?:it|they) should|instead|until|on main"
    r"|known|used to)\b",
    re.IGNORECASE,
)

_SIGN = rf"(?:[{''.join(_SIGNS)}]|{'|'.join(_CODES)})\ufe0f?"
_KNOWN = "|".join(GATES)
_JOIN = r"\s*(?:=>|->|[=:\uff1a\u2192])[*_`]{0,3}\s*"
_LEAD = rf"(?:\[(?P<box>[^\]]{{0,2}})\]\s*|(?P<sign>{_SIGN})\s*)?[*_`]{{0,3}}"
_BARE = rf"(?(known)(?(sign)(?P<free>\b\s*)|\s*(?P<after>{_SIGN}))|(?!))"
"""A sign before or after one of the three needs no mark between them."""
_IN_FIELD = re.compile(
    rf"(?P<before>^|[;,|.]|(?<=\s))\s*{_LEAD}(?:(?P<known>{_KNOWN})|(?P<own>[^\W\d_][\w-]{{0,29}}))[*_`]{{0,3}}(?:\s+gate)?"
    rf"(?:{_JOIN}|{_BARE})",
    re.IGNORECASE,
)
_IN_LIST = re.compile(
    rf"{_LEAD}(?:(?P<known>{_KNOWN})|(?P<own>[^\W\d_][\w-]{{0,29}}))(?:\s+gate)?[*_`]{{0,3}}"
    rf"(?:{_JOIN}|\s+[\u2013\u2014-]+\s+|\s*(?=\()|\s+(?={_SIGN})|\s*$|(?(known)(?(box)\s+|(?(sign)\s+|(?!)))|(?!)))",
    re.IGNORECASE,
)
_AFTER_BARE = re.compile(rf"$|[(\uff08\u2013\u2014-]|{_SIGN}|(?:{_KNOWN})\b", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MARKER = re.compile(r"(?:[-*+]|[0-9]{1,3}[.)]|#{1,6})\s+")
_RESULT = re.compile(
    rf"[*_`]{{0,3}}(?:(?P<sign>{_SIGN})\s*)?[*_`]{{0,3}}(?:(?P<word>not\s+[a-z]+|[a-z]+)(?![\w?/|]|\s*\||-\w)[*_`]{{0,3}})?"
    rf"(?P<delimiter>\s*(?:$|[(\uff08:,.;!\u2013\u2014]|-\s|{_SIGN}))?",
    re.IGNORECASE,
)
_AROUND = " \t:,.;=*_`-\u2013\u2014"


def is_gates(title: str) -> bool:
    """Return whether a section of that title holds gates."""
    return _TITLE.fullmatch(title) is not None


def claims_none(written: str) -> bool:
    """Return whether a field or a section's text says that no gate is claimed: it is empty, or "n/a", "none yet"."""
    return _NONE_YET.fullmatch(written) is not None


def read_gates(written: str, line: int, sections: Sequence[Written]) -> tuple[Gate, ...]:
    """Return the gates of the field ``written`` (at ``line``) and of the sections.

    The field wins where both name a gate; evidence that it doesn't give comes from the section if that says the same.
    A gate that one place names twice counts as the worse of the two.
    """
    said = _worst(_in_field(written, line))
    for name, gate in _worst(gate for section in sections for gate in _in_section(section)).items():
        own = said.setdefault(name, gate)
        if own.result is gate.result and not own.evidence:
            said[name] = Gate(name, own.result, gate.evidence, own.line)
    return tuple(said.values())


def _worst(gates: Iterable[Gate]) -> dict[str, Gate]:
    found: dict[str, Gate] = {}
    for gate in gates:
        before = found.setdefault(gate.name, gate)
        if _badness(gate) > _badness(before) or (gate.result is before.result and not before.evidence):
            found[gate.name] = gate
    return found


def _badness(gate: Gate) -> int:
    return (GateResult.PASS, GateResult.UNKNOWN, GateResult.FAIL).index(gate.result)


def _in_field(text: str, line: int, *, own: bool = True) -> list[Gate]:
    """Return the gates in ``runs=pass (…); correct=fail (…)``; what stands in parentheses begins none."""
    text = _BREAK.sub("; ", text[:TEXT_LIMIT])
    depths = _depths(text)
    starts = [
        found for found in _IN_FIELD.finditer(text) if not depths[found.start()] and _begins(found, text, own=own)
    ]
    ends = [*(found.start() for found in starts[1:]), len(text)]
    return [_gate(found, text[found.end() : end], line) for found, end in zip(starts, ends, strict=False)]


def _depths(text: str) -> Sequence[int]:
    """Return how deep in parentheses each character stands; not at all where they are not balanced."""
    depths, depth = [], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        depths.append(depth)
    return depths if depth == 0 and min(depths, default=0) == 0 else [0] * len(text)


def _begins(found: re.Match[str], text: str, *, own: bool) -> bool:
    """Return whether a gate begins here: evidence holds words with a colon, too."""
    before = found["before"] or ("" if found.start() else ";")
    if found["known"] and before in (";", "|"):
        return True
    if found["free"] is not None and before != "," and not _AFTER_BARE.match(text, found.end()):
        return False  # "✅ correct output": words of the evidence
    if _name(found, own=own and before in (";", "|", ",")) is None:
        return False
    return _judged(found, text[found.end() :])[0] is not GateResult.UNKNOWN


def _in_section(section: Written) -> list[Gate]:
    """Return a section's gates. What stands in a fence is evidence, but a checklist where nothing else is one."""
    return _listed(section, fenced=False) or _listed(section, fenced=True)


def _listed(section: Written, *, fenced: bool) -> list[Gate]:
    title = _TITLE.fullmatch(section.title)
    own = bool(title and title["gates"])
    texts: list[tuple[int, list[str]]] = []
    column = 0
    for line in section.lines:
        if line.kind is Kind.QUOTE:
            continue
        text = _row(line.text) if fenced or line.kind is not Kind.CODE else ""
        marker = _MARKER.match(text)
        text = text[marker.end() :] if marker else text
        opened = _IN_LIST.match(text)
        if name := opened and _name(opened, own=own):
            lead = f"[{opened['box']}]" if opened["box"] is not None else opened["sign"] or ""
            texts.append((line.number, [f"{lead} {name}: {text[opened.end() :]}"]))
            column = line.indent
        elif texts and (marker is None or line.indent > column):
            texts[-1][1].append(text or line.text)
        elif marker:
            texts.append((line.number, []))  # an item of something else
    found = [gate for number, parts in texts for gate in _in_field(" ".join(" ".join(parts).split()), number, own=own)]
    return [gate for gate in found if gate.name in GATES or gate.result is not GateResult.UNKNOWN]


def _name(found: re.Match[str], *, own: bool) -> str | None:
    """Return the gate's name; a word such as "pass" is none."""
    name: str | None = found["known"] or (found["own"] if own else None)
    return None if name is None or name.lower() in _WORDS else name


def _row(text: str) -> str:
    """Return a table's row as an item's text."""
    if not text.startswith("|"):
        return text
    cells = [cell.strip() for cell in text.strip("|").split("|")]
    return f"{cells[0]}: {' - '.join(cells[1:])}"


def _gate(found: re.Match[str], value: str, line: int) -> Gate:
    result, text = _judged(found, value)
    evidence = _evidence(text)
    if result is GateResult.PASS and "fail" in evidence.lower() and _tells_failures(evidence):
        result = GateResult.FAIL
    return Gate((found["known"] or found["own"]).lower(), result, evidence, line)


def _judged(found: re.Match[str], value: str) -> tuple[GateResult, str]:
    """Return what a gate's box, sign and word say together, and the text after them. One "no" is enough."""
    read = next(_RESULT.finditer(value))  # there is one at the very beginning, if an empty one
    said = [_ticked(found["box"]), _sign(found["sign"]), _sign(found["after"])]
    decided = any(one is not None for one in said)
    meant = _WORDS.get(" ".join((read["word"] or "").lower().split()))
    at = 0
    if meant is not None and (read["delimiter"] is not None or (not decided and _STRONG.match(read["word"]))):
        said.append(meant)
        at = read.end("word")
    elif read["sign"]:
        at = read.end("sign")
    said.append(_sign(read["sign"]))
    if False in said:
        return GateResult.FAIL, value[at:]
    return GateResult.PASS if True in said else GateResult.UNKNOWN, value[at:]


def _ticked(box: str | None) -> bool | None:
    if box is None:
        return None
    inside = box.strip().lower()
    return inside == "x" or _sign(inside) if inside else False


def _sign(sign: str | None) -> bool | None:
    return {**_SIGNS, **_CODES}.get((sign or "").lower().rstrip("\ufe0f"))


def _tells_failures(evidence: str) -> bool:
    """Return whether the evidence of a pass is the result of a run that failed; one of an earlier run is none."""
    counts = [int(count or other) for count, other in _FAILURES.findall(evidence)]
    return bool(counts and counts[-1]) and not _EARLIER.search(evidence)


def _evidence(text: str) -> str:
    """Return what proves a gate, without the parentheses around it; empty where it is only a placeholder."""
    evidence = clean_line(text, EVIDENCE_LIMIT).strip(_AROUND)
    if evidence.startswith("("):
        depths = _depths(evidence)
        if depths.index(0) in (0, len(depths) - 1):  # never closed, or closed at the end
            evidence = evidence[1:].removesuffix(")").strip(_AROUND)
    nothing = re.sub(r"\W+|_", "", evidence).lower() in _NO_EVIDENCE or _NOT_APPLICABLE.match(evidence)
    return "" if nothing else evidence
