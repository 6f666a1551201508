"""Small files that come beside a form or in its place: a PDF, an old Word file, a picture.

Each is made of its format's least valid parts, so that the demonstration ships no binary files.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence
from typing import Final

_SECTOR: Final = 512
_FREE: Final = 0xFFFFFFFF
_END: Final = 0xFFFFFFFE
_FAT_SECTOR: Final = 0xFFFFFFFD
# Streams shorter than this would have to live in a second, smaller allocation table.
_STREAM: Final = 4096


def pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one A4 page with these lines, in Helvetica (ISO 32000-1, 7.5).

    Args:
        lines: Text in Windows-1252; other characters become question marks.
    """
    shown = "\n".join(f"({_pdf_text(line)}) Tj T*" for line in lines)
    content = f"BT /F1 11 Tf 16 TL 60 780 Td\n{shown}\nET".encode("cp1252", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    made = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)


def _pdf_text(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def old_word() -> bytes:
    """What Word 97 to 2003 saved: a compound file ([MS-CFB]) with a stream named WordDocument.

    The stream holds the identifier of [MS-DOC] and nothing to read: enough to be known for what it is.
    """
    stream = struct.pack("<HH", 0xA5EC, 0x00C1).ljust(_STREAM, b"\0")
    sectors = _STREAM // _SECTOR
    chain = [_FAT_SECTOR, _END, *range(3, 2 + sectors), _END]
    fat = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    directory = (
        _entry("Root Entry", kind=5, child=1, start=_END, size=0)
        + _entry("WordDocument", kind=2, child=_FREE, start=2, size=_STREAM)
        + _entry("", kind=0, child=_FREE, start=0, size=0) * 2
    )
    return _compound_header() + fat + directory + stream


def _compound_header() -> bytes:
    fields = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        # Version 3, little-endian, sectors of 512 bytes and small ones of 64.
        0x003E,
        0x0003,
        0xFFFE,
        9,
        6,
        # No directory sectors are counted in version 3; one table sector; the directory is sector 1.
        0,
        1,
        1,
        0,
        _STREAM,
        _END,
        0,
        _END,
        0,
        # The first of 109 places of table sectors.
        0,
    )
    return fields.ljust(_SECTOR, b"\xff")


def _entry(name: str, *, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    return struct.pack("<64sHBBIII16xI16xIQ", text, length, kind, 1, _FREE, _FREE, child, 0, start, size)


def png(width: int, height: int, *, seed: int = 0, noise: bool = False) -> bytes:
    """A picture (PNG): bands of colour like a stall in the sun, or noise of `width * height * 3` bytes."""
    chosen = random.Random(seed)  # noqa: S311  # Nothing secret: the same seed gives the same picture.
    bands = [bytes(chosen.randrange(60, 230) for _ in range(3)) for _ in range(8)]
    rows = [
        chosen.randbytes(width * 3) if noise else bands[row * len(bands) // height] * width
        for row in range(height)
    ]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    image = zlib.compress(b"".join(b"\0" + row for row in rows), 1 if noise else 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", image) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
