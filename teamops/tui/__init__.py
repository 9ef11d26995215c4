"""The screen: one reader of snapshots, one sender of intents. It knows the supervisor only as ``SupervisorPort``."""

import os

# Textual waits so long (ms) after ESC for the rest of a key sequence. Its own 100 ms come on top of tmux's escape-time,
# which is the person's option and stays untouched; this is read once, when textual is imported.
os.environ.setdefault("ESCDELAY", "25")
