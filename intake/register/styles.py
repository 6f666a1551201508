"""Cell formats, read only: whether one shows dates, and whether it is filled. None is ever added."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from intake.register.cells import tag

# Built-in number formats that show dates or times (ECMA-376 part 1, 18.8.30, and its East Asian ones).
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# In a format's code, quoted words, escaped characters and [colours] say nothing about dates.
_SAID_BESIDE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What matters of a cell format: whether it shows dates, with hours, and whether it is filled."""

    date: bool
    time: bool
    filled: bool


def read_styles(root: Any) -> list[Style]:
    """The cell formats of the styles part, in their order: cells name them by index."""
    codes = {
        node.get("numFmtId"): _SAID_BESIDE.sub("", node.get("formatCode", "")).lower()
        for node in root.iterfind(f"{tag('numFmts')}/{tag('numFmt')}")
    }
    fills = [
        any(each.get("patternType", "none") != "none" for each in fill)
        or fill.find(tag("gradientFill")) is not None
        for fill in root.iterfind(f"{tag('fills')}/{tag('fill')}")
    ]
    styles = []
    for node in root.iterfind(f"{tag('cellXfs')}/{tag('xf')}"):
        identity, fill = node.get("numFmtId", "0"), int(node.get("fillId", "0"))
        code = codes.get(identity)
        if code is None:
            date = identity.isdigit() and int(identity) in _DATE_FORMATS
            time = identity in {"22", "45", "46", "47"}
        else:
            date, time = "general" not in code and bool(re.search("[dmyhs]", code)), "h" in code
        styles.append(Style(date=date, time=time, filled=fill < len(fills) and fills[fill]))
    return styles
