"""The few WordprocessingML pieces that our own documents are built of.

Knows Word's markup (ECMA-376 part 1, and Word 2010's check box of [MS-DOCX]) and nothing of forms.
Only what survives other programs is offered here: inline controls, plain tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from responses.office_file import xml_text

Element = Any

UNTICKED: Final = "☐"
TICKED: Final = "☒"
_BOX_FONT: Final = "MS Gothic"


def element(tag: str, *children: Element, **attributes: object) -> Element:
    """An element; attributes take the namespace of the tag (`element("w:jc", val="left")`)."""
    made = OxmlElement(tag)
    prefix = tag.partition(":")[0]
    for name, value in attributes.items():
        made.set(qn(f"{prefix}:{name}"), str(value))
    made.extend(children)
    return made


def run(text: str, *properties: Element, style: str | None = None) -> Element:
    """A run of text; line breaks become `w:br`."""
    made = element("w:r")
    if style or properties:
        marks = [element("w:rStyle", val=style)] if style else []
        made.append(element("w:rPr", *marks, *properties))
    for position, line in enumerate(xml_text(text).split("\n")):
        if position:
            made.append(element("w:br"))
        piece = element("w:t")
        piece.text = line
        if line != line.strip():
            piece.set(qn("xml:space"), "preserve")
        made.append(piece)
    return made


def paragraph(*content: Element | str, style: str, properties: Sequence[Element] = ()) -> Element:
    """A paragraph of a style, of runs, controls or plain strings."""
    made = element("w:p", element("w:pPr", element("w:pStyle", val=style), *properties))
    made.extend(run(piece) if isinstance(piece, str) else piece for piece in content)
    return made


class Controls:
    """Makes content controls with ids counted from 1, so that one content gives one file."""

    def __init__(self, *, placeholder: str, choose: str, placeholder_style: str) -> None:
        self._ids = count(1)
        self._placeholder = placeholder
        self._choose = choose
        self._style = placeholder_style

    def text(self, tag: str, content: str = "") -> Element:
        """An inline plain-text control."""
        return self._control(tag, self._placeholder, content, element("w:text"))

    def choice(self, tag: str, options: Iterable[str], content: str = "") -> Element:
        """An inline drop-down control; nothing is chosen unless `content` is given."""
        # The first item lets a person take a choice back; without a text of its own, as Word writes it.
        items = [element("w:listItem", value=self._choose)]
        items += [element("w:listItem", displayText=text, value=text) for text in options]
        return self._control(tag, self._choose, content, element("w:dropDownList", *items))

    def box(self, tag: str, *, ticked: bool = False) -> Element:
        """A check box (`w14:checkbox`), open unless `ticked`."""
        state = element(
            "w14:checkbox",
            element("w14:checked", val=int(ticked)),
            element("w14:checkedState", val=f"{ord(TICKED):04X}", font=_BOX_FONT),
            element("w14:uncheckedState", val=f"{ord(UNTICKED):04X}", font=_BOX_FONT),
        )
        fonts = element("w:rFonts", ascii=_BOX_FONT, hAnsi=_BOX_FONT, eastAsia=_BOX_FONT, hint="eastAsia")
        glyph = run(TICKED if ticked else UNTICKED, fonts)
        return self._wrap(tag, glyph, state)

    def _control(self, tag: str, placeholder: str, content: str, kind: Element) -> Element:
        if content:
            return self._wrap(tag, run(content), kind)
        return self._wrap(tag, run(placeholder, style=self._style), element("w:showingPlcHdr"), kind)

    def _wrap(self, tag: str, content: Element, *properties: Element) -> Element:
        return element(
            "w:sdt",
            element(
                "w:sdtPr",
                element("w:alias", val=tag),
                element("w:tag", val=tag),
                element("w:id", val=next(self._ids)),
                *properties,
            ),
            element("w:sdtContent", content),
        )


def cell(width: int, *content: Element, fill: str | None = None) -> Element:
    """A table cell; `width` in twentieths of a point."""
    properties = element("w:tcPr", element("w:tcW", w=width, type="dxa"))
    if fill:
        properties.append(element("w:shd", val="clear", color="auto", fill=fill))
    return element("w:tc", properties, *content)


def row(*cells: Element, height: int = 0, header: bool = False, splits: bool = False) -> Element:
    """A table row; `height` is the least height in twentieths of a point, `header` repeats it on each page."""
    properties = element("w:trPr")
    if not splits:
        properties.append(element("w:cantSplit"))
    if height:
        properties.append(element("w:trHeight", val=height, hRule="atLeast"))
    if header:
        properties.append(element("w:tblHeader"))
    return element("w:tr", properties, *cells)


def table(
    widths: Sequence[int], rows: Iterable[Element], *, style: str, first_row: bool, first_column: bool
) -> Element:
    """A plain table of fixed column widths (twentieths of a point)."""
    # The hexadecimal sum says the same as the attributes, for programs that read only it.
    look = element(
        "w:tblLook",
        val=f"{0x0600 + 0x0020 * first_row + 0x0080 * first_column:04X}",
        firstRow=int(first_row),
        lastRow=0,
        firstColumn=int(first_column),
        lastColumn=0,
        noHBand=1,
        noVBand=1,
    )
    return element(
        "w:tbl",
        element(
            "w:tblPr",
            element("w:tblStyle", val=style),
            element("w:tblW", w=sum(widths), type="dxa"),
            element("w:tblLayout", type="fixed"),
            look,
        ),
        element("w:tblGrid", *(element("w:gridCol", w=width) for width in widths)),
        *rows,
    )


def field(instruction: str, shown: str) -> Element:
    """A simple field such as `PAGE`, showing `shown` until a program computes it."""
    return element("w:fldSimple", run(shown), instr=instruction)
