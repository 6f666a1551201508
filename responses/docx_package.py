"""An empty Word document in our look: page, styles, language, properties, footer.

python-docx brings the package; its own template's styles, picture and dates are not taken over.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import docx
from docx.document import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml.ns import qn
from docx.shared import Cm
from lxml import etree

from responses.docx_parts import Element, element, field, paragraph, run
from responses.office_file import fix_dates, xml_text

FONT: Final = "Arial"
INK: Final = "1F3A5F"
GREY: Final = "595959"
RULE: Final = "BFC5CC"
SHADE: Final = "F1F3F5"
REGIONS: Final[Mapping[str, str]] = {"es": "es-PE", "en": "en-GB", "fr": "fr-FR"}

TITLE: Final = "Title"
HEADING: Final = "Heading1"
LABEL: Final = "PracticeLabel"
HINT: Final = "PracticeHint"
ANSWER: Final = "PracticeAnswer"
NOTE: Final = "PracticeNote"
INTRO: Final = "PracticeIntro"
ITEM: Final = "PracticeItem"
HEAD: Final = "PracticeHead"
LIST: Final = "PracticeList"
IDENTITY: Final = "PracticeIdentity"
FOOTER: Final = "PracticeFooter"
GRID: Final = "PracticeGrid"
LIST_GRID: Final = "PracticeListGrid"
PLACEHOLDER: Final = "PlaceholderText"

_KEPT: Final = ("Normal", "DefaultParagraphFont", "TableNormal", "NoList")
_UNWANTED: Final = (
    "customXml",
    "extended-properties",
    "numbering",
    "stylesWithEffects",
    "thumbnail",
    "webSettings",
)


def new_document(title: str, language: str, properties: Mapping[str, str]) -> Document:
    """An A4 document without content.

    Args:
        title: For the core properties (screen readers tell it).
        language: `"es"`, `"en"` or `"fr"`; others are set as they are.
        properties: Custom document properties, text.
    """
    document = docx.Document()
    _drop_unwanted(document)
    region = REGIONS.get(language, language)
    _set_styles(document, region)
    _set_settings(document, region)
    core = document.core_properties
    core.title, core.language = xml_text(title), region
    core.author, core.comments, core.last_modified_by = "", "", ""
    _add_custom_properties(document, properties)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.8)
    section.top_margin, section.bottom_margin = Cm(1.4), Cm(1.5)
    section.header_distance, section.footer_distance = Cm(0.7), Cm(0.7)
    return document


def set_footer(document: Document, words: str, page: str) -> None:
    """Prints `words` at the left and the page number at the right of each page.

    Args:
        document: From `new_document`.
        words: Short text.
        page: The page number's words with `{page}` and `{pages}`, e.g. `"Página {page} de {pages}"`.
    """
    before, _, rest = page.partition("{page}")
    between, _, after = rest.partition("{pages}")
    tab = element("w:tabs", element("w:tab", val="right", pos=9866))
    content = paragraph(words, element("w:r", element("w:tab")), style=FOOTER, properties=[tab])
    content.extend([run(before), field("PAGE", "1"), run(between), field("NUMPAGES", "3"), run(after)])
    footer = document.sections[0].footer
    footer.is_linked_to_previous = False
    holder = footer._element  # noqa: SLF001  # python-docx offers no way to put a field there.
    for old in list(holder):
        holder.remove(old)
    holder.append(content)


def save(document: Document) -> bytes:
    """The document as a file of fixed bytes."""
    buffer = io.BytesIO()
    document.save(buffer)
    return fix_dates(buffer.getvalue())


def _drop_unwanted(document: Document) -> None:
    for holder in (document.part, document.part.package):
        for key, relation in list(holder.rels.items()):
            if any(word in relation.reltype for word in _UNWANTED):
                del holder.rels[key]


def _set_settings(document: Document, region: str) -> None:
    settings = document.settings.element
    for theme in settings.iter(qn("w:themeFontLang")):
        theme.set(qn("w:val"), region)
    for setting in settings.iter(qn("w:compatSetting")):
        # An older mode makes Word say "compatibility mode" in the title bar.
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")
    # A session's marks are noise in a file that is made anew each time.
    for noise in (*settings.iter(qn("w:rsids")), *settings.iter(qn("w:proofState"))):
        settings.remove(noise)


def _set_styles(document: Document, region: str) -> None:
    styles = document.styles.element
    for style in styles.findall(qn("w:style")):
        if style.get(qn("w:styleId")) not in _KEPT:
            styles.remove(style)
    defaults = styles.find(qn("w:docDefaults"))
    styles.replace(
        defaults,
        element(
            "w:docDefaults",
            element(
                "w:rPrDefault",
                element(
                    "w:rPr",
                    element("w:rFonts", ascii=FONT, hAnsi=FONT, cs=FONT, eastAsia=FONT),
                    element("w:sz", val=18),
                    element("w:szCs", val=18),
                    element("w:lang", val=region, eastAsia=region, bidi="ar-SA"),
                ),
            ),
            element("w:pPrDefault", element("w:pPr", _spacing(0, 0))),
        ),
    )
    styles.extend(_own_styles())


def _own_styles() -> list[Element]:
    rule = element("w:pBdr", element("w:bottom", val="single", sz=8, space=4, color=INK))
    keep = element("w:keepNext")
    return [
        _style(TITLE, "Title", [rule, _spacing(0, 80)], size=32, color=INK, bold=True),
        _style(HEADING, "heading 1", [keep, _spacing(160, 60), _level(0)], size=22, color=INK, bold=True),
        _style(LABEL, "Practice Label", [_spacing(20, 0)], size=18, bold=True),
        _style(HINT, "Practice Hint", [_spacing(0, 20)], size=16, color=GREY),
        _style(ANSWER, "Practice Answer", [_spacing(20, 20)], size=19),
        _style(NOTE, "Practice Note", [_spacing(0, 60)], size=16),
        _style(INTRO, "Practice Intro", [_spacing(0, 20)], size=19),
        _style(ITEM, "Practice Item", [_spacing(0, 0)], size=17),
        _style(LIST, "Practice List", [_spacing(0, 0)], size=16),
        _style(HEAD, "Practice Head", [_spacing(0, 0)], size=16, bold=True),
        _style(IDENTITY, "Practice Identity", [_spacing(0, 40)], size=14, color=GREY),
        _style(FOOTER, "Practice Footer", [], size=15, color=GREY),
        _placeholder_style(),
        _grid_style(GRID, "Practice Grid", 15),
        _grid_style(LIST_GRID, "Practice List Grid", 6),
    ]


def _spacing(before: int, after: int) -> Element:
    return element("w:spacing", before=before, after=after, line=240, lineRule="auto")


def _level(level: int) -> Element:
    return element("w:outlineLvl", val=level)


def _style(
    style_id: str,
    name: str,
    layout: list[Element],
    *,
    size: int,
    color: str | None = None,
    bold: bool = False,
) -> Element:
    marks = [element("w:b")] if bold else []
    if color:
        marks.append(element("w:color", val=color))
    marks += [element("w:sz", val=size), element("w:szCs", val=size)]
    return element(
        "w:style",
        element("w:name", val=name),
        element("w:basedOn", val="Normal"),
        element("w:qFormat"),
        element("w:pPr", *layout),
        element("w:rPr", *marks),
        type="paragraph",
        styleId=style_id,
    )


def _placeholder_style() -> Element:
    return element(
        "w:style",
        element("w:name", val="Placeholder Text"),
        element("w:basedOn", val="DefaultParagraphFont"),
        element("w:rPr", element("w:color", val="767676")),
        type="character",
        styleId=PLACEHOLDER,
    )


def _grid_style(style_id: str, name: str, room: int) -> Element:
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    borders = [element(f"w:{side}", val="single", sz=4, space=0, color=RULE) for side in sides]
    margins = [
        element(f"w:{side}", w=width, type="dxa")
        for side, width in (("top", room), ("left", 85), ("bottom", room), ("right", 85))
    ]
    return element(
        "w:style",
        element("w:name", val=name),
        element("w:basedOn", val="TableNormal"),
        element("w:tblPr", element("w:tblBorders", *borders), element("w:tblCellMar", *margins)),
        type="table",
        styleId=style_id,
    )


def _add_custom_properties(document: Document, properties: Mapping[str, str]) -> None:
    """Writes docProps/custom.xml (ECMA-376 part 1, 15.2.12.2); python-docx knows no such part."""
    space = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
    types = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
    root = etree.Element(f"{{{space}}}Properties", nsmap={None: space, "vt": types})
    # Numbers below 2 are reserved.
    for number, (name, value) in enumerate(properties.items(), start=2):
        made = etree.SubElement(
            root,
            f"{{{space}}}property",
            fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}",
            pid=str(number),
            name=name,
        )
        etree.SubElement(made, f"{{{types}}}lpwstr").text = xml_text(value)
    blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    package = document.part.package
    part = Part(PackURI("/docProps/custom.xml"), CONTENT_TYPE.OFC_CUSTOM_PROPERTIES, blob, package)
    package.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_PROPERTIES)
