"""The workbook as a zip of parts: some replaced, every other one carried over byte for byte.

The standard library reads zips but cannot copy a compressed member unread, so the few structures that this
takes are read and written here (APPNOTE.TXT 4.3: local header, central directory, end record). Anything out
of the plain (zip64, encryption, several disks, names that clash) is refused, never guessed at. What the
parts mean is not known here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from intake.register.errors import unreadable

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
# 1980-01-01: a fixed stamp, so that the same content gives the same bytes.
_TIME, _DATE = 0, 0x21
_MEMBERS = 5_000
_PART_BYTES = 400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A central directory record and where the member's own bytes begin and end."""

    name: str
    record: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int
    data: int
    end: int


class Package:
    """A workbook's parts.

    Args:
        data: The whole file.

    Raises:
        RegisterUnreadable: It is no plain zip.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._members = {member.name: member for member in _members(data)}

    def __contains__(self, name: object) -> bool:
        return name in self._members

    @property
    def names(self) -> tuple[str, ...]:
        """Part names in the order of the directory."""
        return tuple(self._members)

    def raw(self, name: str) -> bytes:
        """The member's own bytes, local header and compressed data as they stand in the file."""
        member = self._members[name]
        return self._data[member.start : member.end]

    def read(self, name: str) -> bytes:
        """The content of a part, its size and CRC checked.

        Raises:
            RegisterUnreadable: It is missing, too large or damaged.
        """
        member = self._members.get(name)
        if member is None:
            raise unreadable("damaged", f"the part {name} is missing")
        if member.size > _PART_BYTES:
            raise unreadable("unsafe", f"the part {name} would take {member.size} bytes")
        packed = self._data[member.data : member.data + member.packed]
        content = packed if member.method == _STORED else _inflate(name, packed, member.size)
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise unreadable("damaged", f"the part {name} does not match its checksum")
        return content

    def rebuild(self, changes: Mapping[str, bytes], dropped: frozenset[str] = frozenset()) -> bytes:
        """The workbook with some parts replaced, added or dropped, the others copied unread.

        Args:
            changes: Part name to new content.
            dropped: Names of parts to leave out.
        """
        body = bytearray()
        directory = bytearray()
        count = 0
        for member in self._members.values():
            if member.name in dropped or member.name in changes:
                continue
            # Only the offset of the local header differs: the last field of the fixed part (4.3.12).
            directory += member.record[:42] + struct.pack("<L", len(body)) + member.record[46:]
            body += self._data[member.start : member.end]
            count += 1
        for name, content in changes.items():
            local, central = _packed(name, content, len(body))
            body += local
            directory += central
            count += 1
        if len(body) + len(directory) > 0xFFFFFFF0:
            raise unreadable("unsafe", "the workbook would be over 4 GB")
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
        return bytes(body + directory + end)


def _inflate(name: str, packed: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than declared: a part that goes on is damaged, and no more of it is unpacked.
        content = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise unreadable("damaged", f"the part {name} cannot be unpacked") from error
    return content


def _packed(name: str, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """Local header with data, and central record, of a new member."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    encoded = name.encode()
    flags = 0 if name.isascii() else _UTF8
    common = (20, flags, _DEFLATED, _TIME, _DATE, zlib.crc32(content), len(packed), len(content))
    local = _LOCAL.pack(b"PK\x03\x04", *common, len(encoded), 0) + encoded + packed
    central = _CENTRAL.pack(b"PK\x01\x02", 20, *common, len(encoded), 0, 0, 0, 0, 0, offset) + encoded
    return local, central


def _members(data: bytes) -> list[_Member]:
    if data.startswith(_OLE):
        raise unreadable("encrypted", "a password or a label protects it, or it is an old .xls file")
    count, size, offset = _end_record(data)
    members: list[_Member] = []
    seen: set[str] = set()
    position = offset
    for _ in range(count):
        member, position = _member(data, position, offset)
        # Part names are compared without regard to case (ECMA-376 part 2, 6.2.2.3).
        if member.name.lower() in seen:
            raise unreadable("unsafe", f"two parts are named {member.name}")
        seen.add(member.name.lower())
        members.append(member)
    if position != offset + size:
        raise unreadable("damaged", "the directory of the zip has another size than it says")
    _no_overlap(members)
    return members


def _end_record(data: bytes) -> tuple[int, int, int]:
    """Number of members, size and offset of the central directory."""
    place = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - 0xFFFF))
    if place < 0 or place + _END.size > len(data):
        raise unreadable("damaged", "it is no complete .xlsx file")
    _, disk, start_disk, here, count, size, offset, comment = _END.unpack_from(data, place)
    if disk or start_disk or here != count or 0xFFFF in (count, here) or 0xFFFFFFFF in (size, offset):
        raise unreadable("unsafe", "it is a zip of an unusual kind")
    if offset + size > place or place + _END.size + comment != len(data):
        raise unreadable("damaged", "it is no complete .xlsx file")
    if not 0 < count <= _MEMBERS:
        raise unreadable("unsafe", f"it has {count} parts")
    return count, size, offset


def _member(data: bytes, position: int, limit: int) -> tuple[_Member, int]:
    """The member whose central record stands at `position`, and where the next record stands."""
    try:
        fixed = _CENTRAL.unpack_from(data, position)
    except struct.error as error:
        raise unreadable("damaged", "the directory of the zip is cut off") from error
    mark, _, _, flags, method, _, _, crc, packed, size, name_size, extra, comment, disk, _, _, start = fixed
    if mark != b"PK\x01\x02" or disk:
        raise unreadable("damaged", "the directory of the zip cannot be read")
    after = position + _CENTRAL.size
    raw_name = data[after : after + name_size]
    following = after + name_size + extra + comment
    if 0xFFFFFFFF in (packed, size, start):
        raise unreadable("unsafe", "it is a zip of an unusual kind")
    if flags & _ENCRYPTED or method not in {_STORED, _DEFLATED}:
        raise unreadable("encrypted" if flags & _ENCRYPTED else "unsafe", "its parts are packed unusually")
    try:
        name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437")
        local = _LOCAL.unpack_from(data, start)
    except (UnicodeDecodeError, struct.error) as error:
        raise unreadable("damaged", "a part of the zip cannot be found") from error
    begin = start + _LOCAL.size + local[9] + local[10]
    local_name = data[start + _LOCAL.size : start + _LOCAL.size + local[9]]
    if local[0] != b"PK\x03\x04" or local_name != raw_name or begin + packed > limit:
        raise unreadable("damaged", f"the part {name} does not stand where the directory says")
    return (
        _Member(
            name=name,
            record=data[position:following],
            flags=flags,
            method=method,
            crc=crc,
            packed=packed,
            size=size,
            start=start,
            data=begin,
            end=begin + packed + _descriptor(data, begin + packed, flags),
        ),
        following,
    )


def _descriptor(data: bytes, position: int, flags: int) -> int:
    """Length of the data descriptor behind a member (4.3.9), whose own mark is optional."""
    if not flags & _DESCRIPTOR:
        return 0
    return 16 if data[position : position + 4] == b"PK\x07\x08" else 12


def _no_overlap(members: list[_Member]) -> None:
    end = 0
    for member in sorted(members, key=lambda each: each.start):
        if member.start < end:
            raise unreadable("unsafe", f"the part {member.name} overlaps another")
        end = member.end
