"""Puts this folder on the path, so that tests share code by plain imports (`from fillers import ...`)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
