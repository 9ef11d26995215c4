"""A shell's line, read as far as it can be proved what it runs: a strict subset of what bash, zsh and dash agree on.

Words, quotes, pipes, ``&&``, ``||``, ``;``, redirections, here-documents and ``$(…)`` are understood. A variable is a
word that nobody knows. All else is refused as not understood, and never guessed. The tests hold this reading to bash
itself and to a grammar of it.
"""

from __future__ import annotations

from teamops.guard.words import NAME, NAMED, Command, NotUnderstood, Word, is_still

MAX_CHARACTERS = 100_000
MAX_DEPTH = 10
_RESERVED_WORDS = (
    "{ } [[ ]] case coproc do done elif else end esac fi for foreach function if in repeat select"
    " then until while eval source ."
)
RESERVED = frozenset(_RESERVED_WORDS.split())
"""Words that change what follows them, where a command's name is expected."""
_BREAKS = frozenset(" \t\n;&|<>()")


def read(text: str) -> list[Command]:
    """Return every command that ``text`` runs, in the order in which they end. Raises ``NotUnderstood``."""
    if len(text) > MAX_CHARACTERS:
        raise NotUnderstood("it is too long")
    for letter in text:
        if (letter < " " and letter not in "\n\t") or letter == "\x7f":
            raise NotUnderstood("it has a control character")
    reader = _Reader(text)
    reader.list_until("", 0)
    return reader.commands


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.commands: list[Command] = []
        self.groups = 0
        """So many brackets are open that stand for commands of their own."""
        self.waiting: list[tuple[Command, str, bool, bool]] = []
        """Here-documents whose text comes after this line: command, end, tabs are left out, is literal."""

    def list_until(self, end: str, depth: int) -> None:
        """Read commands until ``end``, which is taken, too."""
        if depth > MAX_DEPTH:
            raise NotUnderstood("it is nested too deeply")
        waiting, self.waiting = self.waiting, []
        needs = False  # a command has to come
        sign = ""  # what stands before it
        begun = False  # one has come since the last separator
        while True:
            self.blanks()
            if self.at >= len(self.text):
                if end:
                    raise NotUnderstood("a bracket is not closed")
                break
            letter = self.text[self.at]
            if letter == "#":
                self.comment()
            elif letter == "\n":
                self.at += 1
                self.bodies()
                begun, sign = False, sign if needs else "\n"
            elif letter == ")" and end:
                self.at += 1
                break
            elif letter in ";&|" and not self.text.startswith("&>", self.at):
                sign = self.separator(begun=begun and not needs)
                needs, begun = sign not in {";", "&"}, False
            elif begun:
                raise NotUnderstood(f"{letter} stands where a command ends")
            else:
                (self.group if letter == "(" else self.command)(depth, sign)
                needs, begun = False, True
        if needs:
            raise NotUnderstood("a command is missing at its end")
        if self.waiting:
            raise NotUnderstood("a here-document has no end")
        self.waiting = waiting

    def group(self, depth: int, _sign: str) -> None:
        """Take ``( … )``, which a shell of its own runs."""
        count = len(self.commands)
        if self._is("((") or self.waiting:
            raise NotUnderstood("a bracket is not understood")
        self.at += 1
        self.groups += 1
        self.list_until(")", depth + 1)
        self.groups -= 1
        if len(self.commands) == count:
            raise NotUnderstood("a bracket is not understood")

    def separator(self, *, begun: bool) -> str:
        """Take and return one of ; & && | || |&."""
        if not begun:
            raise NotUnderstood("a command is missing before a separator")
        two = self.text[self.at : self.at + 2]
        if two in {"&&", "||", "|&"}:
            self.at += 2
            return two
        if two in {";;", ";&", ";|"} or self.text[self.at + 1 : self.at + 2] == "!":
            raise NotUnderstood(f"{two} is not understood")
        self.at += 1
        return two[0]

    def blanks(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            else:
                return

    def comment(self) -> None:
        while self.at < len(self.text) and self.text[self.at] != "\n":
            self.at += 1

    def bodies(self) -> None:
        """Take the here-documents that begin after this line."""
        for command, end, tabs, literal in self.waiting:
            lines = []
            while True:
                if self.at >= len(self.text):
                    raise NotUnderstood("a here-document has no end")
                stop = self.text.find("\n", self.at)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[self.at : stop]
                self.at = min(stop + 1, len(self.text))
                line = line.lstrip("\t") if tabs else line
                if line == end:
                    break
                if not literal and not is_still(line):
                    raise NotUnderstood("a here-document without quotes is expanded")
                command.murky = command.murky or (not literal and "$" in line)
                lines.append(line)
            command.inputs.append("\n".join(lines))
        self.waiting = []

    def command(self, depth: int, sign: str) -> None:
        made = Command()
        made.depth, made.sign, made.grouped = depth, sign, self.groups > 0
        made.murky = piped = sign in {"|", "|&"}
        closed = False
        timed = False
        while True:
            self.blanks()
            if self.at >= len(self.text):
                break
            letter = self.text[self.at]
            if letter in "\n;|)" or (letter == "&" and not self.text.startswith("&>", self.at)):
                break
            if letter == "#":
                self.comment()
            elif letter == "(":
                if not timed or made.words or made.assigned or made.writes:
                    raise NotUnderstood("a bracket is not understood")
                self.group(depth, sign)
                return
            elif self._is("<(") and self.text[self.at - 1] in " \t":
                self.substitution(made, depth)
            elif letter in "<>&" or self.is_numbered():
                closed = closed or self._is("&>")  # where that is unknown, another command begins behind it
                self.redirection(made, depth)
            elif closed:
                raise NotUnderstood("a word after &> is read in two ways")
            else:
                self.take(made, depth)
                if not piped and (self.is_timing(made) or (timed and made.words and made.words[0].text == "-p")):
                    made.negated = made.negated or made.words[0].text == "!"
                    made.words, timed = [], True
        self.ends(made, timed=timed)

    def ends(self, made: Command, *, timed: bool) -> None:
        """Take the command as one that is read to its end."""
        if not made.words:
            raise NotUnderstood("it sets variables" if made.assigned else "a line without a command")
        name = made.words[0]
        if name.unknown or (name.glob and name.text != "[") or not name.text:
            raise NotUnderstood("which program it runs can't be said")
        if not name.quoted and (name.text in RESERVED or name.text in {"!", "-"} or (timed and name.text[:1] == "-")):
            raise NotUnderstood(f"{name.text} is not understood")
        self.commands.append(made)

    def is_timing(self, made: Command) -> bool:
        """Return whether the word just taken is ``time`` or ``!``, after which a command begins."""
        if len(made.words) != 1 or made.assigned or made.words[0].quoted or made.writes or made.inputs:
            return False
        return made.words[0].text in {"time", "!"} and self.text[self.at : self.at + 1] in {" ", "\t"}

    def take(self, made: Command, depth: int) -> None:
        """Take the next word, which may set a variable for the command."""
        start = self.at
        bare = self.text[start : start + 1] == "\\" and self.text[start + 1 : start + 2].islower()
        self.at += bare  # it only keeps an alias out
        word = self.word(depth)
        word.quoted = word.quoted or bare
        name, sign, _ = self.text[start : self.at].partition("=")
        if not made.words and sign and name and name[0] in NAME and all(letter in NAMED for letter in name):
            word.text = word.text.partition("=")[2]
            made.assigned.append((name, word))
            return
        if not made.words and "=" in self.text[start : self.at]:
            raise NotUnderstood("what it sets can't be said")
        made.words.append(word)

    def substitution(self, made: Command, depth: int) -> None:
        """Take ``<(…)``, whose output is read by a name of its own."""
        if not made.words or self.waiting:
            raise NotUnderstood("a bracket is not understood")
        self.at += 2
        self.list_until(")", depth + 1)
        if self.text[self.at : self.at + 1].strip(" \t\n;&|)"):
            raise NotUnderstood("a bracket is not understood")
        word = Word()
        word.unknown = word.quoted = True
        made.words.append(word)

    def is_numbered(self) -> bool:
        """Return whether a redirection of a numbered descriptor stands here."""
        at = self.at
        while at < len(self.text) and self.text[at] in "0123456789":
            at += 1
        return at > self.at and self.text[at : at + 1] in {"<", ">"}

    def redirection(self, made: Command, depth: int) -> None:
        while self.text[self.at] in "0123456789":
            self.at += 1
        sign = next(
            (
                sign
                for sign in ("<<<", "<<-", "&>>", "<<", "<&", "<>", ">>", ">&", ">|", "&>", "<", ">")
                if self._is(sign)
            ),
            "",
        )
        self.at += len(sign)
        if sign in {"<<", "<<-"}:
            self.blanks()
            word = self.word(depth)
            if word.unknown or word.glob or "\n" in word.text or not word.text:
                raise NotUnderstood("where a here-document ends can't be said")
            self.waiting.append((made, word.text, sign == "<<-", word.quoted))
            return
        if self._is("(") or self._is("&") or self._is("!"):
            raise NotUnderstood("a redirection is not understood")
        self.blanks()
        if self.at >= len(self.text) or self.text[self.at] in _BREAKS:
            raise NotUnderstood("a redirection leads nowhere")
        word = self.word(depth)
        if sign == "<<<":
            made.inputs.append("" if word.unknown else word.text)
            made.murky = made.murky or word.unknown
            return
        if sign in {">&", "<&"} and not word.unknown and (word.text.rstrip("-").isdigit() or word.text == "-"):
            return
        if word.unknown or word.glob or not word.text:
            raise NotUnderstood("where its output goes can't be said")
        if sign == "<&":
            raise NotUnderstood("a redirection is not understood")
        if word.text.startswith(("/dev/tcp", "/dev/udp")):
            raise NotUnderstood("a redirection to the network")
        if sign == "<":
            made.murky = True
        else:
            word.adds = sign in {">>", "&>>"}
            made.writes.append(word)

    def _is(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def word(self, depth: int) -> Word:
        made = Word()
        start = self.at
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter in _BREAKS:
                if letter == "(":
                    raise NotUnderstood("a bracket is not understood")
                break
            if letter == "'":
                self.single(made)
            elif letter == '"':
                self.double(made, depth)
            elif letter == "\\":
                self.escaped(made)
            elif letter == "$":
                self.dollar(made, depth, quoted=False)
            elif letter == "`":
                raise NotUnderstood("backquotes are not understood")
            else:
                self.bare(made, letter, first=self.at == start)
        raw = self.text[start : self.at]
        if made.braces and raw != "{}" and (raw[0] in "{}" or made.quoted or made.unknown or "," in raw or ".." in raw):
            raise NotUnderstood("braces are not understood")
        return made

    def bare(self, made: Word, letter: str, *, first: bool) -> None:
        if letter in "*?[":
            made.glob = True
        elif letter == "=" and first:
            raise NotUnderstood("a word that begins with = is not understood")
        elif letter in "{}":
            made.braces = True
        elif letter == "^" and first:
            raise NotUnderstood("a word that begins with ^ is not understood")
        made.text += letter
        self.at += 1

    def single(self, made: Word) -> None:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise NotUnderstood("a quote is not closed")
        if self.text[end - 1] == "\\":
            raise NotUnderstood("a backslash before a quote is read in two ways")
        made.text += self.text[self.at + 1 : end]
        made.quoted = True
        self.at = end + 1

    def double(self, made: Word, depth: int) -> None:
        made.quoted = True
        self.at += 1
        while True:
            if self.at >= len(self.text):
                raise NotUnderstood("a quote is not closed")
            letter = self.text[self.at]
            if letter == '"':
                self.at += 1
                return
            if letter == "`":
                raise NotUnderstood("backquotes are not understood")
            if letter == "$":
                self.dollar(made, depth, quoted=True)
                continue
            if letter == "\\" and self.text[self.at + 1 : self.at + 2] in {"$", "`", '"', "\\", "\n"}:
                self.at += 1
                letter = self.text[self.at]
                if letter == "\n":
                    self.at += 1
                    continue
            made.text += letter
            self.at += 1

    def escaped(self, made: Word) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            raise NotUnderstood("it ends in the middle of a word")
        if following.isalnum():
            raise NotUnderstood("a backslash before a letter is read in two ways")
        self.at += 2
        if following != "\n":
            made.text += following
            made.quoted = True

    def dollar(self, made: Word, depth: int, *, quoted: bool) -> None:
        self.at += 1
        letter = self.text[self.at : self.at + 1]
        if letter == "(":
            if self.text.startswith("((", self.at):
                raise NotUnderstood("arithmetic is not understood")
            if self.waiting:
                raise NotUnderstood("a here-document begins before it")
            self.at += 1
            self.list_until(")", depth + 1)
            made.unknown = True
        elif letter == "{":
            end = self.text.find("}", self.at)
            name = self.text[self.at + 1 : end] if end > 0 else ""
            if not name or name[0] not in NAME or not all(one in NAMED for one in name):
                raise NotUnderstood("what a variable is made into is not understood")
            self.at = end + 1
            made.unknown = True
        elif letter in NAME and letter:
            while self.at < len(self.text) and self.text[self.at] in NAMED:
                self.at += 1
            self._ends_here()
            made.unknown = True
        elif letter and letter in "?$!#@*-0123456789":
            self.at += 1
            self._ends_here()
            made.unknown = True
        elif letter in {"'", '"'} and not quoted:
            raise NotUnderstood("quotes after $ are not understood")
        elif letter in {"[", "+", "^", "~", "="}:
            raise NotUnderstood("what a variable is made into is not understood")
        else:
            made.text += "$"

    def _ends_here(self) -> None:
        """Refuse what would be counted out: it may run something."""
        if self._is("["):
            raise NotUnderstood("what a variable is made into is not understood")
