"""The sender's own new words: HTML made text, quotations and signatures cut.

Quoted text never counts as a request or as evidence, for it may be ours. What cannot be told apart
stays: losing a sentence that somebody wrote is worse than keeping one too many.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

LONGEST_HTML = 2_000_000
_QUOTE = "> "

_ORIGINAL = re.compile(
    r"[-_*\s]*(?:begin\s+)?(?:mensaje\s+(?:original|reenviado)|original\s+message|forwarded\s+message"
    r"|message\s+d[’']origine|message\s+(?:transféré|original|réexpédié))[-_*:\s]*",
    re.IGNORECASE,
)
# "El lun, 3 may 2027 a las 10:12, Red (<red@example.org>) escribió:", often folded over three lines.
_ATTRIBUTION = re.compile(
    r"(?:El|On|Le|Em|Am|Il)\b.{4,300}?\b(?:escribi[óo]|wrote|a\s+écrit|écrit|escreveu|schrieb|ha\s+scritto)\s*:",
    re.IGNORECASE,
)
_FROM = re.compile(r"[*_\s]*(?:de|from|von|da)[*_\s]*:[*_\s]*\S", re.IGNORECASE)
_OTHER_HEADER = re.compile(
    r"[*_\s]*(?:enviado(?:\s+el)?|fecha|para|asunto|cc|sent|date|to|subject|envoyé(?:\s+le)?|à|objet)[*_\s]*:",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:enviado\s+desde\s+(?:mi|yahoo|outlook|correo)|obtener\s+outlook\s+para|sent\s+from\s+(?:my|yahoo|outlook|mail)"
    r"|get\s+outlook\s+for|envoyé\s+(?:de|depuis)\s+(?:mon|outlook|yahoo)|télécharger\s+outlook)\b.{0,60}",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg", "math"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
    }
    | {
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
    }
    | {"section", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)


def own_words(text: str) -> str:
    """The text up to its first quotation of another mail or its signature, `>` lines left out.

    Args:
        text: A mail's text.
    """
    lines = text.split("\n")
    kept: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        if line.startswith((">", "|>")):
            index += 1
            continue
        if line == "--" or _ORIGINAL.fullmatch(line) or _is_header_block(lines, index):
            break
        length = _attribution(lines, index)
        if length:
            if not _next_words(lines, index + length).startswith(">"):
                break
            index += length
            continue
        if not _PHONE.fullmatch(line):
            kept.append(lines[index].rstrip())
        index += 1
    while kept and not kept[-1].strip("_-*= \t"):
        kept.pop()
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def _attribution(lines: list[str], index: int) -> int:
    """How many lines, from here, announce a quotation; 0 if none."""
    if not lines[index].lstrip(" \t*").lower().startswith(("el ", "on ", "le ", "em ", "am ", "il ")):
        return 0
    joined = ""
    for length in range(1, 4):
        joined = " ".join(line.strip() for line in lines[index : index + length])
        if _ATTRIBUTION.fullmatch(joined.strip("* ")):
            return length
    return 0


def _is_header_block(lines: list[str], index: int) -> bool:
    """Outlook's "De: … Enviado el: … Para: … Asunto: …" before the mail that is answered or passed on."""
    if not _FROM.match(lines[index]):
        return False
    following = [line for line in lines[index + 1 : index + 10] if line.strip()][:5]
    return sum(1 for line in following if _OTHER_HEADER.match(line)) >= 2


def _next_words(lines: list[str], index: int) -> str:
    return next((line.strip() for line in lines[index : index + 5] if line.strip()), "")


def text_of_html(html: str) -> str:
    """HTML as plain text: blocks on lines, cells apart by tabs, quotations marked with `> `.

    Args:
        html: A page or fragment; its first two million characters are read. Hidden elements are left out.
    """
    html = html[:LONGEST_HTML].replace("\x00", "")
    if not html.strip():
        return ""
    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(html.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return ""
    if root is None:
        return ""
    return _plain(root)


def _plain(root: Any) -> str:
    lines: list[str] = []
    line: list[str] = []
    quoted = 0
    silent = 0

    def end_line() -> None:
        words = (
            _SPACES.sub(" ", "".join(line)).strip(" ") if "\t" not in "".join(line) else _cells("".join(line))
        )
        line.clear()
        if words or (lines and lines[-1]):
            lines.append(_QUOTE * quoted + words if words else "")

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        hidden = tag in _SILENT or _is_hidden(element)
        if event == "start":
            silent += hidden
            if tag in _BLOCKS and any(piece.strip() for piece in line):
                end_line()
            quoted += _is_quote(element, tag)
            if not silent and tag != "br":
                line.append((element.text or "").replace("\n", " ").replace("\t", " "))
        else:
            if tag == "br" or (tag in _BLOCKS and any(piece.strip() for piece in line)):
                end_line()
            if tag in {"p", "h1", "h2", "h3", "table", "blockquote"} and lines and lines[-1]:
                lines.append("")
            silent -= hidden
            quoted -= _is_quote(element, tag)
            if tag in {"td", "th"}:
                line.append("\t")
            if not silent:
                line.append((element.tail or "").replace("\n", " ").replace("\t", " "))
    end_line()
    return "\n".join(lines).strip("\n")


def _cells(line: str) -> str:
    return "\t".join(_SPACES.sub(" ", cell).strip() for cell in line.split("\t")).strip()


def _is_hidden(element: Any) -> bool:
    style = element.get("style")
    return bool(style) and "display:none" in style.replace(" ", "").lower()


def _is_quote(element: Any, tag: str) -> bool:
    if tag != "blockquote":
        return False
    # Without a mark of a mail program a blockquote is an indentation.
    return element.get("type") == "cite" or "quote" in (element.get("class") or "")
