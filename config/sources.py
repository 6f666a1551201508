"""Where configuration files come from: shipped beside this module, or the operator's folder over them.

A file of the operator's replaces the shipped one of the same name, or adds to them. Nothing here knows what
the files mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All files of one kind, e.g. those of `vocabularies/`.

    Attributes:
        folder: Name of the folder with a slash behind it, or `""` for the top one.
        paths: File name to the file that counts.
        own: Names of files that stand in the operator's folder.
    """

    folder: str
    paths: Mapping[str, Path]
    own: frozenset[str]

    def read(self, name: str, problems: list[str]) -> dict[str, Any] | None:
        """The parsed file; `None` when there is none, or, with a problem added, when it cannot be read."""
        path = self.paths.get(name)
        return None if path is None else read_toml(path, self.folder + name, problems)

    def stems(self) -> list[str]:
        """Names of the files that hold no language's words: `practice-1` of `practice-1.toml`."""
        return sorted(name.removesuffix(".toml") for name in self.paths if name.count(".") == 1)

    def languages(self, stem: str) -> list[str]:
        """Languages for which words of `stem` stand beside it."""
        middles = (
            name.removeprefix(f"{stem}.").removesuffix(".toml") for name in self.paths if _words(name, stem)
        )
        return sorted(middles)


def gather(folder: str, home: Path | None) -> Sources:
    """The files of `folder` (`"templates"`, `"vocabularies"`, `""`), shipped and, over them, the operator's."""
    shipped = _files(SHIPPED / folder)
    # The example is for `init` to write; it is no configuration.
    shipped.pop("settings.example.toml", None)
    own = _files(home / folder) if home else {}
    return Sources(folder=f"{folder}/" if folder else "", paths=shipped | own, own=frozenset(own))


def read_toml(path: Path, shown: str, problems: list[str]) -> dict[str, Any] | None:
    """A parsed TOML file; `None`, with a problem added, when it cannot be read.

    A byte order mark is taken off: editors on Windows write one, and TOML refuses it.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problems.append(f"{shown}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{shown}: is not UTF-8 text; save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{shown}: is no valid TOML: {error}")
    return None


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {path.name: path for path in sorted(folder.glob("*.toml")) if path.is_file()}


def _words(name: str, stem: str) -> bool:
    return name.startswith(f"{stem}.") and name.count(".") == 2
