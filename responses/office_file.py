"""What Word and Excel files of ours have in common: bytes without the clock, text that XML can hold.

The libraries stamp each member, and the core properties, with the time of saving; a blank template made
twice must be the same file, for tests and for people who compare.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

from lxml import etree

CREATED: Final = "2026-01-01T00:00:00Z"
_ZIP_DATE: Final = (2026, 1, 1, 0, 0, 0)
_CORE: Final = "docProps/core.xml"
_NOT_XML: Final = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TERMS: Final = "{http://purl.org/dc/terms/}"


def xml_text(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold; every kind of line end is a LF."""
    return _NOT_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def fix_dates(package: bytes) -> bytes:
    """The same package with every date replaced by one fixed date.

    Args:
        package: An Open Packaging file that we made ourselves (never a sender's).
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(target, "w") as fixed:
        for member in source.infolist():
            data = source.read(member)
            if member.filename == _CORE:
                data = _fix_core(data)
            info = zipfile.ZipInfo(member.filename, date_time=_ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            # Otherwise the system that made the file is written into each member.
            info.create_system = 0
            fixed.writestr(info, data)
    return target.getvalue()


def _fix_core(data: bytes) -> bytes:
    root = etree.fromstring(data)
    for name in ("created", "modified"):
        for element in root.iter(f"{_TERMS}{name}"):
            element.text = CREATED
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
