"""What an operator may change, read and cross-checked as a whole. Imports nothing of ours.

`load()` reads everything, and reports every problem at once; a broken configuration stops the start.
"""

from __future__ import annotations

from config.configuration import Config, ConfigError
from config.loading import example_settings, load

__all__ = ["Config", "ConfigError", "example_settings", "load"]
