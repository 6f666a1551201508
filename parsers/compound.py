"""Old Office files and locked ones: what a compound file ([MS-CFB]) holds, by its directory alone.

Reads names of streams, never their contents, in bounded steps; nothing is opened.
"""

from __future__ import annotations

import struct
from typing import Final

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY: Final = 128
_MOST_ENTRIES: Final = 8192
_LAST: Final = 0xFFFFFFFA
_RIGHTS: Final = ("DRMEncryptedTransform", "DRMEncryptedDataSpace", "LabelInfo")


def identify_compound(data: bytes) -> str:
    """The kind of a compound file.

    Returns:
        `doc`, `xls`, `ppt`, `msg`, `encrypted.password`, `encrypted.label`, or `ole` for any other.
    """
    names = root_names(data)
    if "EncryptedPackage" in names or "\x06DataSpaces" in names:
        label = any(name.encode("utf-16-le") in data for name in _RIGHTS)
        return "encrypted.label" if label else "encrypted.password"
    if "\x09DRMContent" in names:
        return "encrypted.label"
    if "WordDocument" in names:
        return "doc"
    if "Workbook" in names or "Book" in names:
        return "xls"
    if "PowerPoint Document" in names:
        return "ppt"
    if "__properties_version1.0" in names:
        return "msg"
    return "ole"


def root_names(data: bytes) -> frozenset[str]:
    """Names of streams and storages directly below the root; empty where the directory is broken."""
    try:
        directory = _directory(data)
    except (struct.error, IndexError, ValueError):
        return frozenset()
    entries = [directory[at : at + _ENTRY] for at in range(0, len(directory) - _ENTRY + 1, _ENTRY)]
    if not entries:
        return frozenset()
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [struct.unpack_from("<I", entries[0], 76)[0]]
    while waiting:
        number = waiting.pop()
        if number in seen or number >= len(entries):
            continue
        seen.add(number)
        entry = entries[number]
        length = min(64, max(0, struct.unpack_from("<H", entry, 64)[0] - 2))
        names.add(entry[:length].decode("utf-16-le", "replace"))
        # Brothers to the left and right; children of a storage are not asked for.
        waiting += struct.unpack_from("<II", entry, 68)
    return frozenset(names)


def _directory(data: bytes) -> bytes:
    """The directory's sectors, joined."""
    shift = struct.unpack_from("<H", data, 30)[0]
    if shift not in {9, 12}:
        raise ValueError("unknown sector size")
    size = 1 << shift
    first = struct.unpack_from("<I", data, 48)[0]
    table = _allocation(data, size)
    found: list[bytes] = []
    seen: set[int] = set()
    sector = first
    while sector < _LAST and sector not in seen and len(found) * size < _MOST_ENTRIES * _ENTRY:
        seen.add(sector)
        found.append(data[(sector + 1) * size : (sector + 2) * size])
        sector = table[sector] if sector < len(table) else _LAST
    return b"".join(found)


def _allocation(data: bytes, size: int) -> list[int]:
    """Next sector by sector number, as far as the header and its chain list them."""
    places = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    seen: set[int] = set()
    while more < _LAST and more not in seen and len(seen) < 64:
        seen.add(more)
        sector = data[(more + 1) * size : (more + 2) * size]
        numbers = struct.unpack(f"<{size // 4}I", sector)
        places += numbers[:-1]
        more = numbers[-1]
    table: list[int] = []
    for place in places:
        if place >= _LAST:
            break
        sector = data[(place + 1) * size : (place + 2) * size]
        table += struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4])
    return table
