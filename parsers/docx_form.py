"""DOCX to raw labelled answers: table rows with their words, boxes with their marks.

Reads `document.xml` with lxml (ECMA-376 part 1, transitional and strict), taking the whole cell's words:
content controls, tracked insertions and text boxes count, tracked deletions do not. Knows no question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from parsers.form import Location
from parsers.package import Package, UnreadableError
from parsers.rows import RawAnswer, RawChoice, RawDocument

_W14_BOX: Final = "{http://schemas.microsoft.com/office/word/2010/wordml}checkbox"
_W14_CHECKED: Final = "{http://schemas.microsoft.com/office/word/2010/wordml}checked"
_W14_VALUE: Final = "{http://schemas.microsoft.com/office/word/2010/wordml}val"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_WRAPPERS: Final = ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")
_LONGEST_LINE: Final = 200
_MOST_PIECES: Final = 60
# Boxes and ticks of the symbol fonts, by the code that Word stores (with or without F000 added).
_SYMBOLS: Final[Mapping[str, Mapping[int, str]]] = {
    "wingdings": {
        0x6F: "☐",
        0x71: "☐",
        0x72: "☐",
        0xA8: "☐",
        0xFE: "☑",
        0xFD: "☒",
        0xFC: "✔",
        0xFB: "✘",
        0x78: "☒",
    },
    "wingdings 2": {
        0x4F: "✘",
        0x50: "✔",
        0x51: "☒",
        0x52: "☑",
        0x53: "☒",
        0x54: "☒",
        0xA3: "☐",
        0x2A: "☐",
        0x30: "☐",
    },
}
_PRIVATE: Final = str.maketrans({0xF000 + code: glyph for code, glyph in _SYMBOLS["wingdings"].items()} | {
    0xF052: "☑", 0xF051: "☒", 0xF0A3: "☐",
})  # fmt: skip
EMPTY_BOXES: Final = "☐□▢◻○◯❏❑❒⬜"
TICKED_BOXES: Final = "☑☒✓✔✗✘✅❎⊠⊗●■◉⬛🗹🗸"
_BOX: Final = re.compile(rf"[{EMPTY_BOXES}{TICKED_BOXES}]|\[ ?[xX]? ?\]|\( ?[xX]? ?\)")
NUMBER: Final = re.compile(r"\s*(\d{1,2}[a-zA-Z]?)\s*(?:[.):·]|[-–—]|\s(?=\S))\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Names:
    """Qualified names in one of the two namespaces of the format."""

    uri: str

    def __getitem__(self, name: str) -> str:
        return f"{{{self.uri}}}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    text: str
    tags: tuple[str, ...] = ()

    @property
    def is_box(self) -> bool:
        """Whether it holds a box and next to nothing else."""
        return len(self.text) <= 24 and _BOX.search(self.text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    table: int
    place: int
    cells: tuple[_Cell, ...]


def read_docx(package: Package) -> RawDocument:
    """All rows and boxes of a document.

    Raises:
        UnreadableError: The document part is damaged, locked or unsafe.
    """
    root = package.xml(package.main_part)
    uri = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    if not uri.endswith("/main") or root.tag.rpartition("}")[2] != "document":
        raise UnreadableError("damaged.part", part=package.main_part)
    reader = _Reader(_Names(uri), package.limits.answer_characters)
    reader.drop_unseen(root)
    tables = [reader.rows(table, place) for place, table in enumerate(root.iter(reader.names["tbl"]), 1)]
    answers: list[RawAnswer] = []
    choices: list[RawChoice] = []
    for rows in tables:
        _classify(rows, answers, choices)
    lines = [line for line in reader.lines(root) if 0 < len(line) <= _LONGEST_LINE]
    filled = [
        row for rows in tables for row in rows if sum(bool(cell.text.strip()) for cell in row.cells) > 1
    ]
    return RawDocument(
        answers=tuple(answers),
        choices=tuple(choices),
        lines=tuple(lines),
        properties=package.properties(),
        words=sum(len((text.text or "").split()) for text in root.iter(reader.names["t"])),
        rows=len(filled),
    )


@lru_cache(maxsize=4)
def _wanted(uri: str) -> tuple[str, ...]:
    names = _Names(uri)
    plain = (
        "p",
        "t",
        "tab",
        "ptab",
        "br",
        "cr",
        "noBreakHyphen",
        "sym",
        "checkBox",
        "tbl",
        "tr",
        "tag",
        "alias",
    )
    return (*(names[name] for name in plain), _W14_BOX)


class _Reader:
    """Words of cells and paragraphs."""

    def __init__(self, names: _Names, longest: int) -> None:
        self.names = names
        self._longest = longest
        self._wanted = _wanted(names.uri)
        self._wrappers = frozenset(names[wrapper] for wrapper in _WRAPPERS)
        self._run = names["r"]
        self._kinds = {name: name.rpartition("}")[2] for name in self._wanted}

    def drop_unseen(self, root: Any) -> None:
        """Takes out what a reader of the finished text does not see: deletions, second renderings."""
        names = self.names
        unseen = [
            *root.iter(names["del"], names["moveFrom"], names["rPrChange"], names["pPrChange"], _FALLBACK)
        ]
        for element in unseen:
            parent = element.getparent()
            if parent is None:
                continue
            if parent.tag == names["trPr"]:
                # A deleted row: the mark stands in the row's properties.
                element, parent = parent.getparent(), parent.getparent().getparent()  # noqa: PLW2901
            if parent is not None and (element.tag != _FALLBACK or len(parent) > 1):
                parent.remove(element)

    def rows(self, table: Any, place: int) -> list[_Row]:
        """The table's own rows; those of tables inside it are theirs."""
        return [
            _Row(
                table=place, place=number, cells=tuple(self.cell(cell) for cell in self._children(row, "tc"))
            )
            for number, row in enumerate(self._children(table, "tr"), 1)
        ]

    def _children(self, element: Any, name: str) -> Iterator[Any]:
        """Children of one name, through content controls and tracked insertions."""
        wrappers = self._wrappers
        wanted = self.names[name]
        waiting = [iter(element)]
        while waiting:
            child = next(waiting[-1], None)
            if child is None:
                waiting.pop()
            elif child.tag == wanted:
                yield child
            elif child.tag in wrappers:
                waiting.append(iter(child))

    def cell(self, cell: Any) -> _Cell:
        """All words of a cell, lines kept; a box control without a glyph is given one."""
        pieces: list[str] = []
        tags: list[str] = []
        states: list[bool] = []
        size = 0
        for element in cell.iter(*self._wanted):
            # Tables inside tables repeat their words at each level; too long is told later, once.
            if size > self._longest:
                break
            kind = self._kinds[element.tag]
            if kind == "t":
                text = element.text
                if text:
                    size += len(text)
                    pieces.append(text.translate(_PRIVATE) if not text.isascii() else text)
            elif kind in {"p", "tr"}:
                if pieces:
                    pieces.append("\n")
            elif kind in {"br", "cr"}:
                pieces.append("\n")
            elif kind in {"tab", "ptab"}:
                if element.getparent().tag == self._run:
                    pieces.append("\t")
            elif kind == "noBreakHyphen":
                pieces.append("-")
            elif kind == "sym":
                pieces.append(self._symbol(element))
            elif kind == "checkBox":
                pieces.append("☒" if self._legacy_ticked(element) else "☐")
            elif kind in {"tag", "alias"}:
                tags.append(element.get(self.names["val"]) or "")
            elif kind == "checkbox":
                states.append(_box_ticked(element))
        text = "".join(pieces).strip("\n")
        if states and not _BOX.search(text):
            text = "".join("☒" if state else "☐" for state in states) + text
        return _Cell(text=text, tags=tuple(dict.fromkeys(tag for tag in tags if tag)))

    def lines(self, root: Any) -> Iterator[str]:
        """The words of every paragraph, long ones cut, for the identity line."""
        paragraph = self.names["p"]
        pieces: list[str] = []
        for element in root.iter(paragraph, self.names["t"]):
            if element.tag == paragraph:
                yield "".join(pieces)
                pieces = []
            elif element.text and len(pieces) < _MOST_PIECES:
                pieces.append(element.text)
        yield "".join(pieces)

    def _symbol(self, element: Any) -> str:
        font = (element.get(self.names["font"]) or "").lower()
        try:
            code = int(element.get(self.names["char"]) or "", 16) & 0x0FFF
        except ValueError:
            return ""
        return _SYMBOLS.get(font, {}).get(code, "")

    def _legacy_ticked(self, element: Any) -> bool:
        """A box of the old form fields: what was set, else what it began with."""
        states = {child.tag.rpartition("}")[2]: child.get(self.names["val"]) for child in element}
        for name in ("checked", "default"):
            if name in states:
                return states[name] not in {"0", "false", "off"}
        return False


def _box_ticked(element: Any) -> bool:
    return any(child.get(_W14_VALUE) in {"1", "true", "on"} for child in element if child.tag == _W14_CHECKED)


def _classify(rows: list[_Row], answers: list[RawAnswer], choices: list[RawChoice]) -> None:
    """Sorts the rows of one table into questions and choices."""
    boxes = {
        (len(row.cells), column)
        for row in rows
        for column, cell in enumerate(row.cells[:-1])
        if cell.is_box and all(before.is_box for before in row.cells[:column])
    }
    question: str | None = None
    heading: tuple[str, ...] = ()
    for row in rows:
        if len(row.cells) < 2:
            continue
        width = 0
        while (len(row.cells), width) in boxes:
            width += 1
        number = _number(row.cells[0].text)
        if width and number is None and _all_marks(row.cells[:width]):
            choices.extend(_choices(row, width, question, heading))
            continue
        if width and any(cell.is_box for cell in row.cells[:width]):
            choices.extend(_choices(row, width, question, heading))
            continue
        heading = tuple(cell.text for cell in row.cells)
        answer = _answer(row)
        if answer is not None:
            answers.append(answer)
            question = answer.number


def _all_marks(cells: tuple[_Cell, ...]) -> bool:
    """Whether these cells can be marks: boxes, an x, a short word, nothing; the heads of columns are words."""
    return all(cell.is_box or len(cell.text.strip()) <= 2 for cell in cells)


def _choices(row: _Row, width: int, question: str | None, heading: tuple[str, ...]) -> Iterator[RawChoice]:
    words = " ".join(cell.text.strip() for cell in row.cells[width:] if cell.text.strip())
    for column, cell in enumerate(row.cells[:width]):
        yield RawChoice(
            tag=next((tag for tag in cell.tags if "." in tag), None),
            question=question,
            words=words,
            mark=cell.text,
            group=row.table,
            column=column,
            heading=heading[column] if len(heading) == len(row.cells) else "",
            location=Location(question=question, table=row.table, row=row.place),
        )


def _answer(row: _Row) -> RawAnswer | None:
    first = next((place for place, cell in enumerate(row.cells[:-1]) if cell.text.strip()), None)
    if first is None:
        return None
    label = row.cells[first].text
    rest = row.cells[first + 1 :]
    # A number in a cell of its own stands before the label.
    number = re.fullmatch(r"(\d{1,2}[a-zA-Z]?)\s*[.)]?", label.strip())
    if number and len(rest) > 1:
        name, label, rest = number[1], rest[0].text, rest[1:]
    else:
        name, label = split_number(label)
    return RawAnswer(
        number=name.replace(" ", "").lower() if name else None,
        label=label,
        tag=next((tag for cell in rest for tag in cell.tags), None),
        text="\n".join(cell.text for cell in rest if cell.text.strip()),
        location=Location(question=name, table=row.table, row=row.place),
    )


def split_number(label: str) -> tuple[str | None, str]:
    """`8. ¿Desde cuándo?` to `("8", "¿Desde cuándo?")`; `None` where no number stands in front."""
    found = NUMBER.match(label)
    if found is None:
        return None, label.strip()
    return found[1].replace(" ", "").lower(), found[2].strip()


def _number(text: str) -> str | None:
    return split_number(text)[0] if any(sign.isalpha() for sign in text) else None
