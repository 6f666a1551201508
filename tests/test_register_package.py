"""The register's zip: members copied unread, and files that are no register refused in plain words."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from register_samples import Office, practice, with_parts

from intake.errors import RegisterUnreadable
from intake.register import Wanted, create, read, update
from intake.register.package import Package

NOW = None


def _zip(*parts, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


def test_rebuilt_packages_are_sound_and_keep_the_rest_raw():
    """Stored, deflated and streamed members (with a data descriptor) are carried over as they stand."""

    class Unseekable(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("streamed.xml", "a" * 1000)
        archive.writestr("año.xml", "ñ")
        archive.writestr("stored.bin", b"\x00\x01", compress_type=zipfile.ZIP_STORED)
        archive.writestr("changed.xml", "old")
        archive.writestr("dropped.xml", "gone")
    package = Package(out.getvalue())
    made = package.rebuild({"changed.xml": b"new", "added.xml": b"more"}, frozenset({"dropped.xml"}))
    again = Package(made)

    for name in ("streamed.xml", "año.xml", "stored.bin"):
        assert again.raw(name) == package.raw(name)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "streamed.xml": b"a" * 1000,
            "año.xml": "ñ".encode(),
            "stored.bin": b"\x00\x01",
            "changed.xml": b"new",
            "added.xml": b"more",
        }
    assert package.rebuild({"changed.xml": b"new"}) == package.rebuild({"changed.xml": b"new"})


@pytest.mark.parametrize(
    "cut",
    [
        # The upload of a sync client broke off.
        lambda data: data[: len(data) // 2],
        # The end is there, the beginning is not.
        lambda data: data[100:],
        lambda _: b"",
        lambda data: data + b"x",
        # Not a workbook at all.
        lambda _: b"PK\x05\x06" + bytes(18),
        lambda _: _zip(("a.txt", "x")),
        lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    ],
)
def test_files_that_are_no_whole_workbook_are_refused(cut):
    """Cut, prefixed, empty, foreign, encrypted: an error for the operator, never anything written."""
    with pytest.raises(RegisterUnreadable):
        update(cut(create("es")), Wanted(practices=(practice(1),)), {}, now=NOW)


def test_a_damaged_part_is_refused():
    """One flipped byte in the sheet's compressed data."""
    data = bytearray(create("es"))
    at = data.index(b"xl/worksheets/sheet1.xml") + 200
    data[at] ^= 0xFF
    with pytest.raises(RegisterUnreadable):
        read(bytes(data))


def test_a_part_larger_than_it_says_is_not_unpacked():
    """The directory says 10 bytes; what is beyond is never inflated."""
    data = bytearray(_zip(("_rels/.rels", b"x" * 10_000_000)))
    end = data.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<L", data, end + 16)[0]
    struct.pack_into("<L", data, directory + 24, 10)
    with pytest.raises(RegisterUnreadable, match="checksum"):
        Package(bytes(data)).read("_rels/.rels")


def test_members_that_overlap_or_repeat_are_refused():
    """The shapes of zip bombs and of files that two programs read differently."""
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = _zip(("a.xml", "1"), ("a.xml", "2"))
    with pytest.raises(RegisterUnreadable, match="two parts"):
        Package(twice)
    with pytest.raises(RegisterUnreadable, match="two parts"):
        Package(_zip(("a.xml", "1"), ("A.XML", "2")))


def test_encrypted_members_are_refused():
    """The flag of an encrypted member is enough."""
    data = bytearray(_zip(("a.xml", "1")))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + place
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    with pytest.raises(RegisterUnreadable, match="encrypted"):
        Package(bytes(data))


@pytest.mark.parametrize(
    ("part", "content"),
    [
        # A document type with an entity, harmless or not.
        ("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook xmlns="x">&a;</workbook>'),
        ("xl/workbook.xml", b"<workbook"),
        # Strict Open XML: other names for everything.
        ("xl/workbook.xml", b'<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'),
        # A workbook of somebody else.
        ("xl/workbook.xml", b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'),
        ("_rels/.rels", b"<Relationships/>"),
    ],
)
def test_parts_that_cannot_be_trusted_are_refused(part, content):
    """No entity is expanded, no other workbook is taken for the register."""
    with pytest.raises(RegisterUnreadable):
        read(with_parts(create("es"), {part: content}))


def test_the_error_tells_the_operator_what_to_do():
    """The message names what is wrong and the remedy."""
    with pytest.raises(RegisterUnreadable, match=r"encrypted.*It is never rebuilt"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))


def test_the_calendar_of_1904_is_kept():
    """Workbooks born on old Macs count days from 1904; dates are written and read by their calendar."""
    office = Office()
    office.edit(r"<workbookPr[^>]*/>", '<workbookPr date1904="1"/>', part="xl/workbook.xml")
    office.update(practice(1))

    assert read(office.data)["practices"][0]["received"] == "2027-03-12"
    assert not office.update(practice(1)).changed
