"""Which places a word of a shell's line reaches: the names that a pattern stands for, what a folder brings along."""

from __future__ import annotations

from teamops.guard.act import Act
from teamops.guard.places import MAX_BELOW, Looking, Place

MAX_SEEN = 20_000
"""More entries than this are not gone through for those that fit a pattern."""
Reached = list[tuple[Act, Place, "list[str] | None"]]
"""Changes, where each leads, and all below it that goes with it; ``None`` = more than can be looked at."""


class TooMuch(Exception):  # noqa: N818 - it is an answer, no error
    """A pattern stands for more than can be looked at."""


def reached(looking: Looking, act: Act, folders: tuple[str, ...]) -> Reached:
    """Return every place that ``act`` reaches from any of ``folders``. Raises ``TooMuch``."""
    found: Reached = []
    for folder in folders:
        for path in _expanded(looking, act.path, folder, glob=act.glob):
            if act.source is not None:
                for source in _expanded(looking, act.source, folder, glob=act.source_glob):
                    found += _put(looking, act, source, path, folder)
                continue
            place = looking.at(path, (folder,))
            if act.maybe and not place.exists and "/" not in path.strip("/"):
                continue
            if act.only and place.is_dir and not place.trouble:
                found += _fitting(looking, act, place)
            elif act.only and not place.exists:
                continue
            else:
                found.append((act, place, _below(looking, act, place)))
    return found


def fits(pattern: str, text: str) -> bool:
    """Return whether ``text`` may be one that a shell's pattern stands for; a bracket stands for any letters."""
    pieces = _bare(pattern).split("*")
    at = 0
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        starts = range(at, len(text) - len(piece) + 1) if number else range(1)
        if last and number:
            starts = range(max(at, len(text) - len(piece)), len(text) - len(piece) + 1)
        start = next((start for start in starts if _same(piece, text[start : start + len(piece)])), -1)
        if start < 0:
            return False
        at = start + len(piece)
    return at == len(text) or len(pieces) > 1


def _same(piece: str, text: str) -> bool:
    return len(piece) == len(text) and all(a in {"?", b} for a, b in zip(piece, text, strict=True))


def _bare(pattern: str) -> str:
    """Return a pattern with a star in the place of each bracket."""
    while True:
        start = pattern.find("[")
        end = pattern.find("]", start + 2)
        if start < 0 or end < 0:
            return pattern.replace("[", "*")
        pattern = f"{pattern[:start]}*{pattern[end + 1 :]}"


def _expanded(looking: Looking, path: str, folder: str, *, glob: bool) -> list[str]:
    """Return the names that a shell makes of a word; the word itself where there is none."""
    if not glob:
        return [path]
    rooted = path.startswith("/")
    found, seen = ["/" if rooted else ""], 0
    parts = [part for part in path.split("/") if part]
    for number, part in enumerate(parts):
        patterned = any(letter in part for letter in "*?[")
        next_found = []
        for start in found:
            if not patterned:
                next_found.append(f"{start}{part}")
                continue
            if part == "**":
                next_found.append(
                    start.rstrip("/") if number == len(parts) - 1 else start[:-1] if start != "/" else start
                )
            names, count = _names(looking, start, folder, deep=part == "**")
            seen += count
            if seen > MAX_SEEN:
                raise TooMuch
            hidden = part[:1] in {".", "["}
            next_found += [
                f"{start}{name}"
                for name in names
                if (hidden or "/." not in f"/{name}") and (part == "**" or fits(part, name))
            ]
        if len(next_found) > MAX_BELOW:
            raise TooMuch
        found = [one if number == len(parts) - 1 or not one or one == "/" else f"{one}/" for one in next_found]
    found = [one for one in found if one]
    return list(dict.fromkeys(found)) or [path]


def _names(looking: Looking, start: str, folder: str, *, deep: bool) -> tuple[list[str], int]:
    """Return the names in a folder, or below it, and how many there are."""
    place = looking.at(start or ".", (folder,))
    if not place.is_dir or place.trouble:
        return [], 0
    names = looking.tree(place.real, MAX_SEEN if deep else 0)
    if names is None:
        raise TooMuch
    return names, len(names)


def _below(looking: Looking, act: Act, place: Place) -> list[str] | None:
    return looking.below(place) if act.deep and place.is_dir and not place.trouble else []


def _fitting(looking: Looking, act: Act, place: Place) -> Reached:
    """Return what lies below a folder and fits the patterns, as one place with many names."""
    names = looking.tree(place.real, MAX_SEEN)
    if names is None:
        raise TooMuch
    shown = place.shown.rstrip("/")
    fitting = [
        name for name in ("", *names) if all(any(_is_asked(one, name, shown) for one in group) for group in act.only)
    ]
    if not fitting or (place.outside and not place.inside):
        return [(act, place, [])] if fitting else []
    if len(fitting) > MAX_BELOW:
        raise TooMuch
    made = Place(f"{shown}/{fitting[0]}")
    made.inside = [
        (start if not name else name if start == "." else f"{start}/{name}")
        for name in fitting
        for start in place.inside
    ]
    made.outside, made.exists, made.real = place.outside, True, place.real
    return [(act, made, [])]


def _is_asked(one: str, name: str, start: str) -> bool:
    """Return whether a name below ``start`` fits ``kind:pattern``, as find and git take it."""
    kind, _, pattern = one.partition(":")
    if kind[:1] == "i":
        kind, pattern, name, start = kind[1:], pattern.casefold(), name.casefold(), start.casefold()
    if kind == "name":
        return fits(pattern, (name or start).rpartition("/")[2])
    if kind == "spec":
        return fits(pattern, name) or fits(f"{pattern.rstrip('/')}/*", name)
    return fits(pattern, f"{start}/{name}" if name else start)


def _put(looking: Looking, act: Act, source: str, target: str, folder: str) -> Reached:
    """Return where a source comes to stand, with all below it: at the target, or in it under its own name."""
    origin, spot = looking.at(source, (folder,)), looking.at(target, (folder,))
    is_tree = act.deep and origin.is_dir and not origin.trouble
    base = source.rstrip("/").rpartition("/")[2]
    merged = base in {"", ".", ".."} or (source.endswith("/") and is_tree)
    found: Reached = []
    if act.into is not True and (act.into is False or not spot.is_dir):
        found.append((act, spot, []))
    if act.into is not False and (act.into or spot.is_dir or not spot.exists) and base not in {"", ".", ".."}:
        found.append((act, looking.at(f"{target.rstrip('/')}/{base}", (folder,)), []))
    if not is_tree or (found and not any(place.inside for _, place, _ in found) and not merged):
        return found
    names = looking.put(origin.real, [*(place for _, place, _ in found), *([spot] if merged else [])])
    tops = looking.tree(origin.real, 0) if merged else []
    if names is None or tops is None or len(tops) > MAX_BELOW:
        for _, place, _ in found or [(act, spot, [])]:
            place.trouble = "more lies in what comes there than can be looked at"
        return found or [(act, spot, [])]
    found = [(act, place, _at(place, names)) for act, place, _ in found]
    for name in tops:
        place = looking.at(f"{target.rstrip('/')}/{name}", (folder,))
        place.unseen = spot.unseen
        rest = [one[len(name) + 1 :] for one in names if one.startswith(f"{name}/")]
        found.append((act, place, _at(place, rest)))
    return found


def _at(place: Place, names: list[str]) -> list[str]:
    return [name if start == "." else f"{start}/{name}" for name in names for start in place.inside]
