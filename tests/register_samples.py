"""A register as the tests of it need it: rows, an update that remembers, and what people do to a workbook."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, date, datetime

from intake.register import Link, Row, Wanted, create, update

NOW = datetime(2027, 3, 12, 8, 5, tzinfo=UTC)
ONCE = frozenset({("practices", "state")})
SHEET = "xl/worksheets/sheet1.xml"


def key(number):
    """A row key."""
    return f"KEY{number:09d}"


def practice(number, **cells):
    """A wanted row of *Prácticas*, some cells replaced."""
    given = {
        "reference": Link(text=f"PMM-2027-{number:04d}", url=f"Casos/PMM-2027-{number:04d}/"),
        "title": f"Defensoras {number}",
        "main_implementer": "Municipalidad de Lima",
        "situation": "Completa",
        "state": "Por asignar",
        "start": "2021-03",
        "received": date(2027, 3, 12),
        "version": 1,
    }
    return Row(key=key(number), cells=given | cells)


class Office:
    """A register, and what the ledger would remember of it."""

    def __init__(self, data=None):
        self.data = data or create("es")
        self.written = {}
        self.last = None

    def update(self, *rows, now=NOW, **sheets):
        """Updates and remembers; keeps the outcome in `last`."""
        wanted = Wanted(practices=rows, **sheets)
        self.last = update(self.data, wanted, self.written, now=now, once=ONCE)
        self.data = self.last.data
        self.written |= {(each.sheet, each.key, each.column): each.text for each in self.last.written}
        return self.last

    def edit(self, pattern, new, part=SHEET, count=1):
        """What people do: one place of a part's XML changed; fails when it is not there."""
        text = member(self.data, part).decode()
        changed, done = re.subn(pattern, new, text, count=count, flags=re.DOTALL)
        assert done, pattern
        self.data = with_parts(self.data, {part: changed.encode()})


def member(data, name):
    """Content of a part."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def with_parts(data, parts):
    """The package with some parts replaced or added, zipped anew."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in parts:
                new.writestr(info, old.read(info.filename))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def cell_pattern(address):
    """Finds a cell's element in a worksheet's XML."""
    return rf'<c r="{address}"[^>]*?(?:/>|>.*?</c>)'


def inline(address, text, style=None):
    """A cell as people's programs write it."""
    mark = f' s="{style}"' if style else ""
    return f'<c r="{address}"{mark} t="inlineStr"><is><t>{text}</t></is></c>'
