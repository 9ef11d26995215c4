"""Where a path really leads: every name that a write to it would change, resolved part by part.

Nothing here judges. A path that may be read in two ways (a tilde, a link in its last place, a folder that is mounted
twice) has all of its readings, and whoever judges takes the strictest.
"""

# ruff: noqa: PTH115, PTH116, PTH118, PTH120 - importing pathlib costs more than all of this
from __future__ import annotations

import os
from _stat import S_ISDIR, S_ISLNK, S_ISREG
from time import monotonic

TYPE_CHECKING = False  # what `typing` says, without its cost
if TYPE_CHECKING:
    from collections.abc import Callable

    from teamops.guard.sifting import Sieve

    MakeSieve = Callable[[list[str]], Sieve | None]
    """Gives what is asked of the names below a large folder, by the folder's own in the project."""

MAX_LINKS = 40
PLAINLY = 200
"""So many names below a folder are judged one by one."""
MAX_BELOW = 2000
"""More are not judged: what may not be looked at is not allowed."""
MAX_S = 1.5
"""So long large folders are gone through."""
MAX_IN_FOLDER = 20_000
NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
"""What may be written and keeps nothing."""
_KERNEL = ("/proc/", "/dev/", "/sys/")


class Place:
    """Where one path leads."""

    __slots__ = ("exists", "inside", "is_dir", "links", "outside", "real", "shown", "trouble", "unseen")

    def __init__(self, shown: str) -> None:
        self.shown = shown
        """As it was given."""
        self.inside: list[str] = []
        """Every name of it in the project, relative to the project's folder; the folder itself is ``.``."""
        self.outside: list[str] = []
        """Every place of it out of the project."""
        self.real = ""
        """Its place with all links followed."""
        self.exists = False
        self.is_dir = False
        self.links = 1
        """How many names a file has."""
        self.trouble = ""
        """Why it can't be said where it leads; empty = it can."""
        self.unseen = False
        """More lies below it than was looked at."""


class Looking:
    """The file system as it is while one call is judged."""

    def __init__(self, roots: tuple[str, ...], home: str, sieve: MakeSieve | None = None) -> None:
        self._roots = roots
        self._sieve = sieve
        self._until = 0.0
        """When what lies in large folders has taken long enough, for one call."""
        self._home = home
        self._mounts: list[tuple[str, str, str]] | None = None
        self._marks = {}
        for root in roots:
            try:
                told = os.stat(root)
            except OSError as error:
                raise OSError(error.errno, f"the project's folder {root} can't be looked at") from error
            self._marks[told.st_dev, told.st_ino] = root

    def at(self, text: str, folders: tuple[str, ...]) -> Place:
        """Return where ``text`` leads, for a process that may stand in any of ``folders``."""
        place = Place(text)
        if not text or "\0" in text:
            place.trouble = "it is no path"
            return place
        texts = [text]
        if text[0] == "~":
            user, slash, rest = text[1:].partition("/")
            if user:
                place.trouble = "whose home it is in can't be said"
                return place
            texts.append(f"{self._home}{slash}{rest}")
        for one in texts:
            for folder in folders or self._roots[-1:]:
                self._look(os.path.join(folder, one), place)
                if place.trouble:
                    return place
        place.inside = list(dict.fromkeys(place.inside))
        place.outside = list(dict.fromkeys(place.outside))
        return place

    def below(self, place: Place) -> list[str] | None:
        """Return every name below a folder of the project, as ``inside`` has them; ``None`` = too many, or unreadable.

        What a link in it leads to is not below it. Of very many, those that a rule could speak of.
        """
        names = self.put(place.real, [place])
        if names is None:
            return None
        return [name if start == "." else f"{start}/{name}" for name in names for start in place.inside]

    def put(self, folder: str, places: list[Place]) -> list[str] | None:
        """Return the names below ``folder`` that matter where it stands at ``places``, or comes there."""
        names = self.tree(folder, PLAINLY)
        if names is not None:
            return names
        inside = [name for place in places for name in place.inside]
        sieve = self._sieve(inside) if self._sieve is not None else None
        if sieve is None:
            return self.tree(folder, MAX_BELOW)
        if not self._until:
            self._until = monotonic() + MAX_S
        names, whole = sieve.below(folder, self._until)
        for place in places:
            place.unseen = not whole
        return names

    def tree(self, folder: str, most: int) -> list[str] | None:
        """Return every name below ``folder``; ``None`` = more than ``most``, or unreadable. 0: those in it alone."""
        found: list[str] = []
        waiting = [""]
        while waiting:
            at = waiting.pop()
            try:
                with os.scandir(os.path.join(folder, at)) as entries:
                    for entry in entries:
                        name = f"{at}/{entry.name}" if at else entry.name
                        found.append(name)
                        if most and entry.is_dir(follow_symlinks=False):
                            waiting.append(name)
            except OSError:
                return None
            if len(found) > (most or MAX_IN_FOLDER):
                return None
        return found

    def _look(self, path: str, place: Place) -> None:
        lexical = os.path.normpath(path)
        if lexical.startswith("//"):
            lexical = lexical[1:]
        if lexical in NOWHERE:
            place.outside.append(lexical)
            return
        if (path + "/").startswith(_KERNEL) or (lexical + "/").startswith(_KERNEL):
            place.trouble = "it leads through the kernel's own folders"
            return
        real, named = self._follow(path, place)
        if place.trouble:
            return
        place.real = real
        self._state(real, place)
        for one in dict.fromkeys((real, named)):
            self._sort(one, place, sure=True)
        self._sort(lexical, place, sure=False)

    def _sort(self, path: str, place: Place, *, sure: bool) -> None:
        """Take ``path`` as one name of the place. Not ``sure``: only where it is one in the project."""
        within = self._within(path)
        if within is not None:
            place.inside.append(within)
        elif sure:
            place.outside.append(path)
        if sure:
            for alias in self._aliases(path):
                within = self._within(alias)
                if within is not None:
                    place.inside.append(within)
                else:
                    place.outside.append(alias)

    def _follow(self, path: str, place: Place) -> tuple[str, str]:
        """Return the path with all links followed, and the same with the last part left as it is."""
        waiting = path.split("/")[::-1]
        at, named, links = "/", "", 0
        while waiting:
            part = waiting.pop()
            last = not any(rest not in {"", "."} for rest in waiting)
            if part in {"", "."}:
                continue
            if part == "..":
                at = os.path.dirname(at)
                continue
            here = f"{at.rstrip('/')}/{part}"
            if last and not named:
                named = here
            try:
                is_link = S_ISLNK(os.lstat(here).st_mode)
            except (FileNotFoundError, NotADirectoryError):
                is_link = False
            except (OSError, ValueError) as error:
                place.trouble = f"it can't be looked at ({getattr(error, 'strerror', None) or error})"
                return at, named
            if not is_link:
                at = here
                continue
            links += 1
            if links > MAX_LINKS:
                place.trouble = "it leads over too many links"
                return at, named
            try:
                target = os.readlink(here)
            except OSError as error:
                place.trouble = f"the link {here} can't be read ({error.strerror})"
                return at, named
            if target.startswith("/"):
                at = "/"
                if (target + "/").startswith(_KERNEL):
                    place.trouble = "it leads through the kernel's own folders"
                    return at, named
            waiting += target.split("/")[::-1]
        return at, named or at

    def _state(self, real: str, place: Place) -> None:
        try:
            told = os.lstat(real)
        except (OSError, ValueError):
            return
        place.exists = True
        place.is_dir = S_ISDIR(told.st_mode)
        if S_ISREG(told.st_mode):
            place.links = max(place.links, told.st_nlink)
        elif not place.is_dir:
            place.trouble = "it is no file"

    def _within(self, path: str) -> str | None:
        """Return ``path`` relative to the project; ``None`` = it is not in it.

        A folder above that is the project's own under another name counts: mounted twice, or in other letters.
        """
        for root in self._roots:
            if path == root:
                return "."
            if path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) + 1 :]
        above, rest = path, ""
        while True:
            try:
                told = os.stat(above)
            except (OSError, ValueError):
                told = None
            if told is not None and (told.st_dev, told.st_ino) in self._marks:
                return rest or "."
            parent = os.path.dirname(above)
            if parent == above:
                return None
            name = above[len(parent.rstrip("/")) + 1 :]
            above, rest = parent, f"{name}/{rest}" if rest else name

    def _aliases(self, path: str) -> list[str]:
        """Return the other places at which the same file is mounted."""
        mounts = self._read_mounts()
        own = None
        for mount in mounts:  # a later one lies over an earlier one
            if _is_below(path, mount[2]) and (own is None or len(mount[2]) >= len(own[2])):
                own = mount
        if own is None:
            return []
        device, inner, point = own
        there = _join(inner, path[len(point.rstrip("/")) :])
        found = []
        for other_device, other_inner, other_point in mounts:
            if other_device == device and _is_below(there, other_inner):
                alias = _join(other_point, there[len(other_inner.rstrip("/")) :])
                if alias != path:
                    found.append(alias)
        return found

    def _read_mounts(self) -> list[tuple[str, str, str]]:
        """Return device, the folder in it, and where that is mounted, of every mount; nothing where none are told."""
        if self._mounts is None:
            self._mounts = []
            try:
                with open("/proc/self/mountinfo", "rb") as file:  # noqa: PTH123
                    raw = file.read()
            except FileNotFoundError:
                return self._mounts
            for line in os.fsdecode(raw).splitlines():
                words = line.split(" ")
                if len(words) > 4:
                    self._mounts.append((words[2], _plain(words[3]), _plain(words[4])))
        return self._mounts


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _join(folder: str, rest: str) -> str:
    return (folder.rstrip("/") + "/" + rest.strip("/")).rstrip("/") or "/"


def _plain(text: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text
