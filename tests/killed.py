"""A worker in a process of its own that kills itself at a named step; run by the tests of sudden death.

Usage: killed.py FOLDER [STEP [OCCURRENCE]]
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from config import load
from intake.assembly import assembled


def main() -> None:
    folder = Path(sys.argv[1])
    step = sys.argv[2] if len(sys.argv) > 2 else ""
    left = int(sys.argv[3]) if len(sys.argv) > 3 else 1

    def on_step(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with assembled(load(folder), on_step=on_step) as worker:
        worker.tick()
        worker.tick()


if __name__ == "__main__":
    main()
