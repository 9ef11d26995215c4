"""Small scripts in other languages, read as far as it takes to say that they write no file and run no program."""

from __future__ import annotations

_PLAIN = frozenset("pdqQ=nNgGhHxDPlz")
_NUMBERED = frozenset("qQl")
_FLAGS = frozenset("gpIiMm0123456789")


def sed_only_edits(script: str) -> bool:
    """Return whether a script of sed does nothing but to what it reads."""
    return all(_sed_from(line) for line in script.split("\n")) and "\\\n" not in script


def _sed_from(line: str) -> bool:
    """Return whether the commands in one line of a script are known, and all of them harmless."""
    at = 0
    while at < len(line):
        if line[at] in " \t;{}":
            at += 1
            continue
        after = _address(line, at)
        if after < 0 or after >= len(line):
            return False
        letter = line[after]
        if letter in "#aicr":
            return True  # the rest of the line is a text, or a file that is read
        at = _behind(line, letter, after + 1)
        if at < 0:
            return False
    return True


def _behind(line: str, letter: str, at: int) -> int:
    """Return where a command's words end; -1 = it may write or run something, or it can't be read."""
    if letter in "sy":
        at = _parts(line, at)
        while 0 <= at < len(line) and line[at] not in " \t;}":
            at = at + 1 if letter == "s" and line[at] in _FLAGS else -1
        return at
    if letter in ":btT":  # GNU sed ends a label here, BSD's with the line: what follows has to be harmless either way
        while at < len(line) and line[at] not in ";}":
            at += 1
        return at
    if letter not in _PLAIN:
        return at if letter == "{" else -1
    while at < len(line) and (line[at] in " \t" or (letter in _NUMBERED and line[at].isdigit())):
        at += 1
    return at if at >= len(line) or line[at] in ";}" else -1


def _address(line: str, at: int) -> int:
    """Return where the command begins behind its addresses; -1 = they can't be read."""
    while at < len(line):
        letter = line[at]
        if letter.isdigit() or letter in "$,+~! \t":
            at += 1
        elif letter in "/\\":
            mark = line[at + 1 : at + 2] if letter == "\\" else "/"
            at = _end_of_part(line, at + (2 if letter == "\\" else 1), mark)
            if at < 0:
                return -1
            while line[at : at + 1] in {"I", "M"}:
                at += 1
        else:
            return at
    return at


def _parts(line: str, at: int) -> int:
    """Return where the flags begin behind ``/one/other/``; -1 = it has no end."""
    mark = line[at : at + 1]
    if not mark or mark in "\\ \t;}" or mark.isalnum():
        return -1
    middle = _end_of_part(line, at + 1, mark)
    return -1 if middle < 0 else _end_of_part(line, middle, mark)


def _end_of_part(line: str, at: int, mark: str) -> int:
    if not mark:
        return -1
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line[at] == "[":
            at = _end_of_bracket(line, at, mark)
            if at < 0:
                return -1
        elif line[at] == mark:
            return at + 1
        else:
            at += 1
    return -1


def _end_of_bracket(line: str, at: int, mark: str) -> int:
    """Return where ``[…]`` ends; -1 = it has no end, or holds the mark, which for some seds ends the part."""
    at += 2 if line[at + 1 : at + 2] == "^" else 1
    first = at
    while at < len(line):
        if line[at] == "]" and at > first:
            return at + 1
        if line[at : at + 2] in {"[:", "[.", "[="}:
            at = line.find(f"{line[at + 1]}]", at + 2) + 2
            if at < 2:
                return -1
            continue
        if line[at] == mark and line[at - 1] != "\\":
            return -1
        at += 1
    return -1


def awk_only_reads(script: str) -> bool:
    """Return whether a script of awk prints to its own output alone.

    What compares stands before anything that prints, or it is taken for the name of a file.
    """
    if any(word in script for word in ("system", "getline", "@", "close", "|&")) or "|" in script.replace("||", ""):
        return False
    at = script.find("print")
    return at < 0 or ">" not in script[at:].replace(">=", "")


def text_of(words: list[str]) -> str | None:
    """Return what ``echo`` or ``printf`` with these words prints; ``None`` = it can't be said.

    With a backslash and ``n`` a line ends, whether that shell's ``echo`` takes it so or not.
    """
    if words[0] == "echo":
        given = words[1:]
        while given and given[0][:1] == "-" and given[0] != "-" and set(given[0][1:]) <= set("neE"):
            if "n" in given[0]:
                return None  # what comes next goes on in the same line
            given = given[1:]
        return _plain(" ".join(given)) if given else ""
    form, *given = words[1:] or ["%"]
    if form == "--":
        form, *given = given or ["%"]
    if not form.endswith("\\n") or form[:1] == "-":
        return None
    pieces = form.replace("%%", "\0").split("%s")
    if any("%" in piece for piece in pieces):
        return None
    made, most = "", max(1, len(pieces) - 1)
    for start in range(0, max(len(given), 1), most):
        row = given[start : start + most] + [""] * most
        made += pieces[0] + "".join(f"{row[at]}{piece}" for at, piece in enumerate(pieces[1:]))
        if len(pieces) == 1:
            break
    return _plain(made.replace("\0", "%"))


def _plain(text: str) -> str | None:
    text = text.replace("\\n", "\n").replace("\\t", "\t")
    return None if "\\" in text else text
