"""A client of which there is only the screen: draws the files that it is told of through a pipe, with their titles.

Usage: screen_player.py PIPE. Each line of the pipe is a file, a tab and a title.
"""

from __future__ import annotations

import os
import sys
import tty
from pathlib import Path


def main() -> None:
    tty.setraw(0)
    while True:
        for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
            name, _, title = line.partition("\t")
            screen = Path(name).read_text("utf-8").rstrip("\n")
            os.write(1, f"\x1b]2;{title}\x07\x1b[H\x1b[2J".encode() + screen.replace("\n", "\r\n").encode())


if __name__ == "__main__":
    main()
