"""The wheel that people install: exactly our packages with all their data, and a command that runs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "intake", "parsers", "responses")
DATA = {".py", ".toml", ".j2", ".txt", ".xml"}


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory) -> Path:
    """The wheel, built from the tree as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_exactly_our_packages(wheel):
    """Every module and data file of the four packages, and nothing else."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert len(expected) > 60
    assert held == expected
    assert {Path(name).suffix for name in held} <= DATA


def test_the_installed_wheel_runs_alone(wheel, tmp_path):
    """Installed beside the run-time dependencies only, away from the source tree: the command works."""
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
         "--target", str(target), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    form = tmp_path / "blank.docx"
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r}); from intake.__main__ import main; import config;"
        f"assert config.__file__.startswith({str(target)!r}), config.__file__;"
        "sys.argv[0] = 'practice-intake'; main()"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code, "template", "--lang", "fr", "-o", str(form)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert zipfile.is_zipfile(form)
