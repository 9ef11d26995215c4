"""Ways past a boundary, each a script that runs in the project. Most get past rules that look at commands."""

from __future__ import annotations

from dataclasses import dataclass

_PY = '"$PYTHON" -I -S -c'


@dataclass(frozen=True)
class Attack:
    name: str
    script: str
    works_outside: bool = True
    """Without a boundary it changes something: the proof that it is one."""
    role: str = "REVIEWER"
    client: str = "claude"
    tool: str = ""
    """What it needs; without it there is nothing to try."""


def _a(name: str, script: str, **more: object) -> Attack:
    return Attack(name, script, **more)  # type: ignore[arg-type]  # names and kinds are those of Attack


_CTYPES = "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)"

WRITES = (
    _a("redirect", "echo x > src/a.py"),
    _a("redirect, appending", "echo x >> src/a.py"),
    _a("redirect, clobbering", "set -C; echo x >| src/a.py"),
    _a("descriptor of the shell", "exec 7> src/a.py; echo x >&7"),
    _a("here-document", "cat > src/a.py <<'END'\nx\nEND"),
    _a("tee", "echo x | tee src/a.py"),
    _a("tee, appending", "echo x | tee -a src/a.py"),
    _a("cp", "cp current.md src/a.py"),
    _a("cp --remove-destination", "cp --remove-destination current.md src/a.py"),
    _a("cp -l", "cp -lf current.md src/a.py"),
    _a("mv over it", "echo x > reviews/x; mv -f reviews/x src/a.py"),
    _a("mv it away", "mv src/a.py reviews/taken.py"),
    _a("mv its folder away", "mv src reviews/src"),
    _a("mv its folder, and make it anew", "mv src old && mkdir src && echo x > src/a.py"),
    _a("rename in place", "mv src/a.py src/b.py"),
    _a("rm", "rm -f src/a.py"),
    _a("rm -r", "rm -rf src"),
    _a("find -delete", "find src -name '*.py' -delete"),
    _a("find -exec", "find src -name '*.py' -exec sh -c 'echo x > \"$1\"' _ {} \\;"),
    _a("xargs", "echo src/a.py | xargs -I% sh -c 'echo x > %'"),
    _a("sed -i", "sed -i s/second/third/ src/a.py"),
    _a("perl -pi", "perl -pi -e s/second/third/ src/a.py", tool="perl"),
    _a("awk", 'awk \'BEGIN { print "x" > "src/a.py" }\'', tool="awk"),
    _a("dd", "dd if=current.md of=src/a.py"),
    _a("dd into the middle", "printf x | dd of=src/a.py conv=notrunc seek=1 bs=1"),
    _a("install", "install -m 644 current.md src/a.py"),
    _a("truncate", "truncate -s 0 src/a.py"),
    _a("touch a new file", "touch src/new.py"),
    _a("mkdir", "mkdir src/new"),
    _a("mkfifo", "mkfifo src/pipe"),
    _a("link in its place", "ln -sfn ../current.md src/a.py"),
    _a("hard link", "ln src/a.py reviews/l && echo x > reviews/l"),
    _a("link to it", "ln -s ../src/a.py reviews/l && echo x > reviews/l"),
    _a("link to its folder", "ln -s ../src reviews/s && echo x > reviews/s/new.py"),
    _a("split words", 'c=ec; f=src/a; eval "${c}ho x > $f.py"'),
    _a("encoded", "echo ZWNobyB4ID4gc3JjL2EucHk= | base64 -d | sh"),
    _a("another shell", "env -i PATH=$PATH sh -c 'cd src; echo x > a.py'"),
    _a("by its full path", 'echo x > "$P/src/../src/a.py"'),
    _a("detached", "setsid -w sh -c 'echo x > src/a.py'", tool="setsid"),
    _a("tar", "mkdir -p reviews/src && echo x > reviews/src/a.py && tar -C reviews -cf - src/a.py | tar -xf -"),
    _a(
        "patch", "printf -- '--- a.py\\n+++ a.py\\n@@ -1 +1 @@\\n-second = 2\\n+x\\n' | patch -s src/a.py", tool="patch"
    ),
    _a("ed", "printf '1c\\nx\\n.\\nw\\nq\\n' | ed -s src/a.py", tool="ed"),
    _a("python, write", f"{_PY} \"open('src/a.py', 'w').write('x')\""),
    _a("python, replace", f"{_PY} \"import os; open('reviews/x','w'); os.replace('reviews/x', 'src/a.py')\""),
    _a("python, truncate", f"{_PY} \"import os; os.truncate('src/a.py', 0)\""),
    _a(
        "python, mapped memory",
        f"{_PY} \"import mmap, os; f = os.open('src/a.py', os.O_RDWR); mmap.mmap(f, 0)[0:1] = b'x'\"",
    ),
    _a("chmod first", "chmod 777 src src/a.py; echo x > src/a.py"),
    _a("new owner's mask", "umask 0; rm src/a.py; echo x > src/a.py"),
)
"""By a shell's and a language's own means."""

GIT = (
    _a("git checkout of a file", "git checkout -q HEAD~1 -- src/a.py"),
    _a("git restore", "git restore -s HEAD~1 src/a.py"),
    _a("git apply", "git diff HEAD HEAD~1 -- src | git apply"),
    _a("git rm", "git rm -qf src/a.py"),
    _a("git clean", "git rm -q --cached src/a.py; git clean -qfd"),
    _a("git reset", "git reset -q --hard HEAD~1"),
    _a("git stash", "git -c user.name=a -c user.email=a@b stash -q; git stash drop -q; git reset -q HEAD~1"),
    _a(
        "git commit by plumbing",
        "b=$(echo x | git hash-object -w --stdin); t=$(printf '100644 blob %s\\ta.py\\n' $b | git mktree); "
        "c=$(git -c user.name=a -c user.email=a@b commit-tree -p HEAD -m x $t); git update-ref HEAD $c",
    ),
    _a("git, another work tree", "git --work-tree=src --git-dir=.git checkout -q HEAD~1 -- ."),
    _a("git hook", "printf '#!/bin/sh\\n' > .git/hooks/pre-commit"),
    _a("git configuration", "git config core.fsmonitor 'sh -c :'"),
    _a("git archive", "git archive HEAD~1 src | tar -xf -"),
)

SYSTEM = (
    _a("unmount", "umount -l $P; umount -l $P/src; echo x > src/a.py"),
    _a("remount", "mount -o remount,rw,bind $P; mount -o remount,rw /; echo x > src/a.py"),
    _a("mount over it", "echo x > reviews/a.py; mount --bind reviews src; echo x > src/a.py", works_outside=False),
    _a("user namespace", "unshare -Urm sh -c 'mount --bind $P/src $P/reviews; echo x > $P/reviews/a.py'"),
    _a("unmount in a user namespace", "unshare -Urm sh -c 'umount -l $P/.teamops; umount -l $P; echo x > $P/src/a.py'"),
    _a("a sandbox of its own", "bwrap --dev-bind / / sh -c 'echo x > src/a.py'", tool="bwrap"),
    _a("nsenter of init", 'nsenter -t 1 -m sh -c "echo x > $P/src/a.py"', works_outside=False, tool="nsenter"),
    _a("nsenter of an outside process", 'nsenter -t $OUT -m sh -c "echo x > $P/src/a.py"', works_outside=False),
    _a("nsenter of the program around it", 'nsenter -t $PPID -m sh -c "echo x > $P/src/a.py"', works_outside=False),
    _a("/proc/PID/root", 'echo x > /proc/$OUT/root"$P"/src/a.py'),
    _a("/proc/1/root", 'echo x > /proc/1/root"$P"/src/a.py', works_outside=False),
    _a("/proc/PPID/root", 'echo x > /proc/$PPID/root"$P"/src/a.py'),
    _a("/proc/PID/cwd", "echo x > /proc/$OUT/cwd/src/a.py"),
    _a("/proc/PID/fd", "for f in /proc/$OUT/fd/*; do case $(readlink $f) in */a.py) echo x > $f;; esac; done"),
    _a("/proc/self/root", 'echo x > /proc/self/root"$P"/src/a.py'),
    _a("chroot", 'chroot /proc/$OUT/root sh -c "echo x > $P/src/a.py"', works_outside=False),
    _a("another's memory", f"{_PY} \"f = open('/proc/$OUT/mem', 'r+b'); open('src/a.py', 'w')\""),
    _a(
        "ptrace",
        f"{_PY} \"{_CTYPES}; r = c.ptrace(16, $OUT, 0, 0); r or open('src/a.py', 'w')\"",
        works_outside=False,  # an ordinary user's kernel may forbid it to all
    ),
    _a("a file's handle", f"{_PY} \"{_CTYPES}; c.open_by_handle_at(-100, 0, 2); open('src/a.py', 'w')\""),
    _a("mknod", "mknod reviews/disk b 254 0 && echo x > src/a.py", works_outside=False),
    _a("attribute", "chattr +i src/a.py; chattr -i src/a.py; echo x > src/a.py", tool="chattr"),
    _a("kernel's setting", "cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern && echo x > src/a.py",
       works_outside=False),
    _a("ending an outside process", "kill -9 $OUT; kill -9 -$OUT; kill -9 $PPID", works_outside=False),
    _a("the linker", "/lib64/ld-linux-x86-64.so.2 $(command -v cp) current.md src/a.py", works_outside=False),
    _a("a copy of a tool", "cp $(command -v tee) reviews/t && echo x | reviews/t src/a.py"),
)  # fmt: skip
"""By what the system offers."""

_ASK = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1].replace('@', chr(0))); s.recv(9)"

OTHERS = (
    _a("tmux, run-shell", 'tmux -S "$TMUX_SOCKET" run-shell "echo x > $P/src/a.py"'),
    _a("tmux, a new window", 'tmux -S "$TMUX_SOCKET" new-window "echo x > $P/src/a.py; tmux wait -S w" \\; wait w'),
    _a("tmux through /proc/PID/root", 'tmux -S "/proc/$OUT/root$TMUX_SOCKET" run-shell "echo x > $P/src/a.py"'),
    _a("tmux through /proc/PID/cwd", 'tmux -S "/proc/$OUT/cwd/../sock/s" run-shell "echo x > $P/src/a.py"'),
    _a("a listener's socket", f'{_PY} "{_ASK}" "$DOOR"'),
    _a("a listener's socket, moved", f'mv "$DOOR" "$DOOR.x"; {_PY} "{_ASK}" "$DOOR.x"'),
    _a("a listener's socket, linked", f'ln "$DOOR" reviews/door; {_PY} "{_ASK}" reviews/door'),
    _a("a listener's abstract socket", f'{_PY} "{_ASK}" "@$ABSTRACT"'),
)
"""By what others would do for it."""

HELD = (
    _a("teamops.toml", "echo x >> teamops.toml"),
    _a("teamops.toml, replaced", "echo x > new; mv -f new teamops.toml"),
    _a("a profile", "echo x > profiles/reviewer.md"),
    _a("the profiles' folder", "mv profiles p; mkdir profiles; echo x > profiles/reviewer.md"),
    _a("another's beats", "echo x >> .teamops/spool/DIRECTOR/hooks.jsonl || echo x >> .teamops/spool/x"),
    _a("the spool's folder", "mv .teamops t; mkdir -p .teamops/spool/DIRECTOR; echo x > .teamops/spool/DIRECTOR/h"),
    _a("the ledger", 'echo x >> "$STATE"/shop-1/ledger.sqlite3'),
    _a("its own plan", 'for f in "$STATE"/shop-1/agents/*; do echo x >> "$f"; done; echo x > "$STATE"/shop-1/agents/y'),
    _a("the clients' settings", "echo x > .claude/settings.json"),
    _a("the clients' settings at home", 'echo x > "$HOME"/.claude/settings.json'),
    _a("hooks at home", 'mv "$HOME"/.claude/settings.json "$HOME"/.claude/s; echo x > "$HOME"/.claude/settings.json'),
    _a("the shell's start", 'echo x >> "$HOME"/.profile'),
    _a("git's hooks", "echo x > .git/hooks/pre-commit"),
    _a("git's configuration", "git config core.fsmonitor 'sh -c :'"),
    _a("git's folder, made anew", "mv .git g; git init -q .; git config core.fsmonitor 'sh -c :'"),
    _a("another's reviews", "echo x > reviews/old.md"),
    _a("another's reviews, the folder moved", "mv reviews r; mkdir reviews; echo x > reviews/old.md"),
    _a("the design", "echo x > docs/design/plan.md"),
    _a("the design, the folder above moved", "mv docs d; mkdir -p docs/design; echo x > docs/design/plan.md"),
    _a("the design, linked", "ln docs/design/plan.md src/l; echo x > src/l"),
)
"""What a role that writes code must leave alone; all of it a DEVELOPER's."""


def _plant(folder: str, files: str, folders: str) -> str:
    """Return a script that makes each of these settings where it is missing, and adds to it where it is not."""
    return (
        f"cd {folder} || exit; for f in {files}; do echo x >> $f; done; "
        f"for d in {folders}; do mkdir -p $d; echo x > $d/x.md; done; cd $P"
    )


_CLAUDE_FILES = (
    "settings.json settings.local.json CLAUDE.md keybindings.json daemon.json remote-settings.json "
    "loop.md AGENTS.md launch.json scheduled_tasks.json"
)
_CLAUDE_FOLDERS = (
    "agents commands hooks local output-styles plugins rules skills workflows routines chrome themes cowork_plugins "
    "dev-mods seed-admin mcp-skill-archives"
)
_CODEX_FILES = "config.toml hooks.json AGENTS.md AGENTS.override.md .env"
_CODEX_FOLDERS = "agents automations hooks packages plugins prompts rules skills themes"
_GEMINI_FILES = "settings.json trustedFolders.json trusted_hooks.json keybindings.json GEMINI.md .env"
_GEMINI_FOLDERS = "acknowledgments agents commands extensions hooks policies skills"

CLIENTS = (
    _a("claude: settings that were missing", _plant('"$HOME"/.claude', _CLAUDE_FILES, _CLAUDE_FOLDERS)),
    _a("codex: settings that were missing", _plant('"$HOME"/.codex', _CODEX_FILES, _CODEX_FOLDERS), client="codex"),
    _a("gemini: settings that were missing", _plant('"$HOME"/.gemini', _GEMINI_FILES, _GEMINI_FOLDERS),
       client="gemini"),
    _a("opencode: settings that were missing",
       _plant('"$HOME"/.config/opencode', "opencode.json opencode.jsonc tui.json", "plugin command agent tool skill"),
       client="opencode"),
    _a("settings put aside, and made anew",
       'cd "$HOME"/.claude; for f in *; do mv $f $f.old; rm -rf $f; mkdir $f; done; echo x > CLAUDE.md; cd $P'),
    _a("the client's folder put aside, and made anew", 'cd "$HOME"; mv .claude c; mkdir .claude; cd $P'),
    _a("settings linked", 'cd "$HOME"/.claude; ln -sf $P/src/a.py CLAUDE.md; ln -sfn $P/src commands; cd $P'),
    _a("settings through a hard link", 'cd "$HOME"/.claude; ln settings.json l && echo x > l; cd $P'),
    _a("MCP servers", """echo '{"mcpServers": {}}' > "$HOME"/.claude.json"""),
    _a("MCP servers, replaced", """echo '{"mcpServers": {}}' > "$HOME"/.c; mv -f "$HOME"/.c "$HOME"/.claude.json"""),
    _a("MCP servers, taken away", 'rm -f "$HOME"/.claude.json'),
    _a("a script that settings run", 'echo x > "$HOME"/.claude/line.sh; echo x > "$HOME"/.claude/named/x'),
    _a("a script that settings run, made anew", 'cd "$HOME"/.claude; mv named n; mkdir named; echo x > named/x; cd $P'),
    _a("another's shell", 'echo x >> "$HOME"/.claude/shell-snapshots/snapshot.sh'),
    _a("another's shell, the folder moved",
       'cd "$HOME"/.claude; mv shell-snapshots s; mkdir shell-snapshots; echo x > shell-snapshots/snapshot.sh; cd $P'),
    _a("a program that a client fetched", 'echo x > "$HOME"/.gemini/tmp/bin/rg', client="gemini"),
    _a("a program that a client fetched, the folder above moved",
       'cd "$HOME"/.gemini; mv tmp t; mkdir -p tmp/bin; echo x > tmp/bin/rg; cd $P', client="gemini"),
    _a("programs that a client would fetch", 'echo x > "$HOME"/.cache/opencode/bin/rg', client="opencode"),
)  # fmt: skip
"""What an agent would leave in its client's home, for another session of that client; all of it a DEVELOPER's."""
