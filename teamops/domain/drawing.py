"""How a boundary is drawn: from a profile's globs to folders, mounts and named holes.

A kernel knows folders and files, no globs: each rule is split into what it can hold (a folder is writable or not) and
what is left to the hooks and the audit (which files in it). Nothing here looks at the disk: ``look`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from teamops.domain.client_boundary import ClientHold, hold
from teamops.domain.confinement import Boundary, Cover, Ground, HeldRule, Layer, Mount
from teamops.domain.emptying import EVERY, MAX_BESIDE, beside, made_later, too_many, unsaved
from teamops.domain.git_hold import REPOSITORY, UNFINISHED, git_hold
from teamops.domain.git_places import MODULES
from teamops.domain.on_disk import Kind, Look, Names, is_in
from teamops.domain.write_rules import Spot, spot_of

INNER_TEMP = "agent"
"""The agent's folder for what is not kept, where the usual one holds the project itself."""


def boundary(
    ground: Ground, look: Look, *, landlock: bool = True, mounts: bool = True, names: Names | None = None
) -> Boundary:
    """Return what the kernel holds. ``landlock``, ``mounts``: which of the two is there; what is missing is a hole.

    ``names``: given where Landlock is too old to know of emptying a file (truncate): then mounts have to.
    """
    drawing = _Drawing(ground, look)
    drawing.allow()
    drawing.own(mounts=mounts)
    drawing.client(copies=mounts)
    drawing.deny()
    drawing.git()
    drawing.let()
    if not mounts:
        drawing.say_without_mounts()
    if not landlock:
        drawing.say_without_landlock()
    mounted = drawing.mounts(landlock=landlock, names=names) if mounts else ()
    if landlock and names is not None:
        drawing.say_emptied(mounts=mounts)
    return Boundary(
        writable=tuple(dict.fromkeys(drawing.writable)),
        mounts=mounted,
        temp=drawing.temp(),
        make_folders=tuple(dict.fromkeys((*drawing.make, *(() if mounts else drawing.temp())))),
        make_files=tuple(drawing.make_files) if mounts else (),
        emptied=tuple(drawing.emptied),
        rules=tuple(drawing.rules),
        holes=tuple(dict.fromkeys((*drawing.holes, *drawing.planted))),
        project=tuple(drawing.project),
        planted=tuple(dict.fromkeys(drawing.planted)) if mounts else (),  # without any, more than these is open
        settings=drawing.hold.held,
        links=drawing.hold.links,
    )


@dataclass(slots=True)
class _Drawing:
    """One boundary while it is drawn."""

    ground: Ground
    look: Look
    writable: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    make: list[str] = field(default_factory=list)
    make_files: list[tuple[str, str]] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    rules: list[HeldRule] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    project: list[str] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)
    hold: ClientHold = field(default_factory=ClientHold)

    def allow(self) -> None:
        """Take what may be written."""
        ground = self.ground
        if not ground.allow:
            self.writable.append(ground.tree)
            self.holes.append("no rule says what it may write: all of the project")
        for glob in ground.allow:
            self._allow(glob)

    def _allow(self, glob: str) -> None:
        spot = spot_of(glob)
        path, shown = _join(self.ground.tree, spot.path), "/" + spot.path
        kind = self.look(path)
        rule = f"allow {glob}"
        if kind is Kind.LINK:
            self.holes.append(f"{shown} is a link: what it leads to can't be written")
            self._say(rule, Layer.HOOKS, "it is a link, and none is followed")
            return
        if kind is Kind.NOTHING and not spot.folder:
            self.holes.append(f"{shown} is not there: it can be written from the start after it was made")
            self._say(rule, Layer.HOOKS, "it is not there yet")
            return
        if kind is Kind.NOTHING:
            self.make.append(path)
        self.writable.append(path)
        if spot.exact:
            self._say(rule, Layer.KERNEL, f"{shown} is writable")
        else:
            self._say(rule, Layer.HOOKS, f"the kernel lets all of {shown} be written")

    def deny(self) -> None:
        """Take out what may not: it wins."""
        for glob in self.ground.deny:
            self._deny(glob)

    def _deny(self, glob: str) -> None:
        spot = spot_of(glob)
        path, shown = _join(self.ground.tree, spot.path), "/" + spot.path
        rule = f"deny {glob}"
        if not spot.exact:
            self._say(rule, Layer.HOOKS, "a kernel knows no such glob")
            return
        if spot.path == ".git" and self.ground.commits:
            self._say(rule, Layer.HOOKS, "git itself has to write it; the kernel holds its hooks and settings")
            return
        self.writable = [known for known in self.writable if not is_in(known, path)]
        if self._hold(path, make=spot.folder and spot.path in self._made_for_others()):
            self._say(rule, Layer.KERNEL, f"{shown} can't be written")
        else:
            self._say(rule, Layer.HOOKS, "it is not there yet: the kernel holds it from the start after it was made")

    def _made_for_others(self) -> set[str]:
        spots: Iterable[Spot] = (spot_of(glob) for glob in self.ground.team_folders)
        return {spot.path for spot in spots if spot.exact and spot.folder and spot.path}

    def own(self, *, mounts: bool) -> None:
        """Hold what is teamops', and the clients' settings in the project.

        Of these a missing one is made where this role could make it: a folder, and a file if it can be mounted.
        """
        ground = self.ground
        for name in (".teamops", "profiles"):
            self._hold(f"{ground.root}/{name}", make=True)
        self._hold(ground.state, make=False)
        self._own_settings(f"{ground.root}/teamops.toml")
        for path in ground.project_folders:
            if self._own_settings(path, make=self._is_inside(path)):
                self.project.append(path)
        for path, text in ground.project_files:
            if path.rpartition("/")[0] in ground.project_folders:
                self._own_inner(path, text)
            elif self._own_settings(path, text=text if mounts else None):
                self.project.append(path)

    def _own_settings(self, path: str, *, make: bool = False, text: str | None = None) -> bool:
        """Hold ``path``; return whether it stands there, or will, and is held. ``text``: made with it where missing."""
        inside = self._is_inside(path)
        kind = self.look(path)
        if kind is Kind.NOTHING and inside and text is not None:
            self.make_files.append((path, text))
            self.held.append(path)
        elif not self._hold(path, make=make) and inside:
            root = f"{self.ground.root}/"
            shown = path[len(root) - 1 :] if path.startswith(root) else path
            missing = f"{shown} is not there: it could be made, and would count"
            self.planted.append(missing if kind is Kind.NOTHING else f"{path} is a link: it can be put elsewhere")
        return path in self.held

    def _own_inner(self, path: str, text: str) -> None:
        """Make a file in a client's folder that is held: without it that client ends there."""
        if path.rpartition("/")[0] in self.held and self.look(path) is Kind.NOTHING:
            self.make_files.append((path, text))

    def _is_inside(self, path: str) -> bool:
        """Return whether ``path`` lies where the agent may write."""
        return any(is_in(path, known) for known in (*self.writable, *self.ground.client.writable))

    def client(self, *, copies: bool) -> None:
        """Hold the client's settings at home. ``copies``: the agent can get a copy in the place of a file."""
        client = self.ground.client
        self.hold = hold(
            client, lambda path: self.look(path) is Kind.LINK, lambda path: self.look(path) is not Kind.NOTHING,
            copies=copies,
        )  # fmt: skip
        self.held += self.hold.held
        self.holes += self.hold.holes
        self.writable += [path for path, _ in client.copies]

    def let(self) -> None:
        """Take what every agent may write: its client's state, temp, the handoff file and its own spool."""
        ground = self.ground
        self.writable += [*ground.client.writable, *ground.extra, *self.temp(), *ground.devices]
        self.writable += [ground.lock, ground.spool]
        if self.look(ground.handoff) is Kind.FILE:  # else the first block goes through the spool
            self.writable.append(ground.handoff)

    def temp(self) -> tuple[str, ...]:
        """Return the folders for what is not kept: one around the project itself is too wide, and gets one inside."""
        shown = self.ground.shown
        return tuple(
            f"{folder}/{INNER_TEMP}" if any(is_in(path, folder) for path in shown) else folder
            for folder in self.ground.temp
        )

    def _hold(self, path: str, *, make: bool) -> bool:
        """Hold ``path``; return whether it is held."""
        if path in self.held:
            return True
        kind = self.look(path)
        if kind is Kind.NOTHING:
            if not make:
                return not self._is_inside(path)
            self.make.append(path)
        elif kind is Kind.LINK:
            self.holes.append(f"{path} is a link: it can be put elsewhere")
            return False
        self.held.append(path)
        return True

    def git(self) -> None:
        """Let who writes code write git's folder, but for what would run at others' hands; hold it for all others."""
        ground = self.ground
        own = f"{ground.tree}/.git"
        if self.look(own) is Kind.FILE:
            self.held.append(own)
        if not ground.commits:
            self.held += [path for path in (own, *ground.git) if self.look(path) is Kind.FOLDER]
        else:
            self.writable += ground.git
            for folder in ground.git:
                self._git_folder(folder)
        for folder in ground.git_inner:
            if self._is_open(folder):
                self._git_folder(folder)
        for path in ground.git_held:
            if self._is_open(path) and not self._hold(path, make=False) and self.look(path) is Kind.NOTHING:
                self.holes.append(f"{path} is not there: git's settings name it, and it could be made")
        if ground.git_unasked:
            self.holes.append(f"git did not say which files its settings include: {ground.git_unasked}")
        if any(is_in(path, ground.tree) and self.look(path) is not Kind.FILE for path in self.writable):
            self.holes.append(REPOSITORY)
        if ground.commits and ground.git:
            self.holes.append(UNFINISHED)

    def _is_open(self, path: str) -> bool:
        """Return whether ``path`` lies where it may write, and nothing that is held lies around it."""
        return any(is_in(path, known) for known in self.writable) and not any(is_in(path, one) for one in self.held)

    def _git_folder(self, folder: str) -> None:
        module = any(is_in(folder, f"{own}/{MODULES}") for own in self.ground.git)
        found = git_hold(folder, self.look, module=module)
        self.held += found.held
        self.make += found.make
        self.make_files += found.make_files
        self.holes += found.holes

    def mounts(self, *, landlock: bool, names: Names | None = None) -> tuple[Mount, ...]:
        """Return what is mounted, outer before inner.

        A single file that may be written is never mounted itself: the agent would not see it any more once somebody
        has replaced it. Its folder is, and Landlock holds what else is in there. The folder around a copy is, too:
        Claude Code writes a new file beside its own first, and writes into its own where that is forbidden, but gives
        up where the disk is read-only.
        """
        ground = self.ground
        temp = self.temp()
        hidden = (*ground.hidden, *temp)
        private = [path for path in ground.client.private if self.look(path) is Kind.FOLDER]
        copies = dict(ground.client.copies)
        covers: dict[str, Cover] = dict.fromkeys((*hidden, *private), Cover.EMPTY)

        def put(cover: Cover, path: str) -> None:
            covers[path] = max(covers.get(path, cover), cover, key=list(Cover).index)

        for path in ground.shown:
            if path not in hidden and any(is_in(path, folder) for folder in hidden):
                put(Cover.READ_ONLY, path)
        own = set(self.writable) - {*ground.devices, *temp}
        for path in sorted(own):
            single = path == ground.lock or self.look(path) is Kind.FILE
            area = path.rpartition("/")[0] if single and landlock else path
            if area != path and path in copies and names is not None and self._has_too_much(area or "/", own, names):
                self.holes.append(unsaved(path))  # the lesser evil: all beside it could be emptied
                area = path
            if covers.get(area) is Cover.READ_ONLY:
                del covers[area]  # shown, and more than that
            put(Cover.WRITABLE, area or "/")
            if area != path and names is not None:
                self._cover_beside(area or "/", own, covers, names)
        for path, cover in (
            *((path, Cover.READ_ONLY) for path in self.held),
            *((path, Cover.NO_SOCKET) for path in ground.sockets if self._is_seen(path, covers)),
        ):
            put(cover, path)
            self._pin(path, own, put)
        for path in copies:
            put(Cover.WRITABLE, path)
        for path in private:
            self._pin(path, own, put)
        inner = sorted(covers, key=lambda path: path.split("/"))
        return tuple(Mount(covers[path], path, copies.get(path, "")) for path in inner)

    @staticmethod
    def _has_too_much(area: str, own: set[str], names: Names) -> bool:
        return len(names(area)) > MAX_BESIDE and not any(is_in(area, folder) for folder in own)

    def _cover_beside(self, area: str, own: set[str], covers: dict[str, Cover], names: Names) -> None:
        """Mount read-only what stands beside a single file that may be written: its folder is, and Landlock is old."""
        if area in self.emptied or any(is_in(area, folder) for folder in own):
            return
        self.emptied.append(area)
        paths = beside(area, self.look, names, {*own, *covers}, self.ground.devices)
        if paths is None:
            self.holes.append(too_many(area))
        covers.update(dict.fromkeys(paths or (), Cover.READ_ONLY))

    @staticmethod
    def _is_seen(path: str, covers: dict[str, Cover]) -> bool:
        """Return whether the agent sees what stands at ``path``: the innermost mount is not an empty folder."""
        around = [folder for folder in covers if is_in(path, folder)]
        return not around or covers[max(around, key=len)] is not Cover.EMPTY

    def _pin(self, path: str, own: set[str], put: Callable[[Cover, str], None]) -> None:
        """Make mounts of the folders around what is held: else one could be moved away, and made anew without it."""
        above = path.rpartition("/")[0]
        while any(is_in(above, folder) and above != folder for folder in own):
            put(Cover.WRITABLE, above)
            above = above.rpartition("/")[0]

    def say_without_mounts(self) -> None:
        """Name what Landlock alone leaves open."""
        self.holes.append("tmux's, D-Bus' and docker's sockets are in reach: through them others can act for it")
        loose = [
            path
            for path in dict.fromkeys((*self.held, *self.ground.client.private))
            if any(is_in(path, known) for known in self.writable)
        ]
        loose = [path for path in loose if path not in self.writable]
        if loose:
            self.holes.append("can be written, because they lie in a writable folder: " + ", ".join(loose))

    def say_emptied(self, *, mounts: bool) -> None:
        """Name what an old Landlock leaves open: it knows nothing of emptying a file."""
        self.emptied = self.emptied if mounts else ["/"]
        self.holes += map(made_later, self.emptied) if mounts else [EVERY]

    def say_without_landlock(self) -> None:
        """Name what mounts alone leave open."""
        self.holes.append("abstract sockets, signals and other processes' /proc folders are in reach")
        self.holes.append("once another replaces the handoff file, it is seen and written as it was at the start")

    def _say(self, rule: str, layer: Layer, why: str) -> None:
        self.rules.append(HeldRule(rule, layer, why))


def _join(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}" if path else base
