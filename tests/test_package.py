"""What is this file, and dare we open it: kinds by bytes, limits, damage. Nothing may raise."""

from __future__ import annotations

import io
import random
import struct
import zipfile

import pytest

import config
from parsers import identify, parse
from parsers.compound import root_names

TYPES = "application/vnd.openxmlformats-officedocument"
MAIN = {
    "docx": ("word/document.xml", f"{TYPES}.wordprocessingml.document.main+xml"),
    "docm": ("word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"),
    "dotx": ("word/document.xml", f"{TYPES}.wordprocessingml.template.main+xml"),
    "xlsx": ("xl/workbook.xml", f"{TYPES}.spreadsheetml.sheet.main+xml"),
    "xlsm": ("xl/workbook.xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
    "xlsb": ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
    "pptx": ("ppt/presentation.xml", f"{TYPES}.presentationml.presentation.main+xml"),
}
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DOCUMENT = f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>hola</w:t></w:r></w:p></w:body></w:document>'


@pytest.fixture(name="settings", scope="module")
def _settings():
    return config.load()


@pytest.fixture(name="limits")
def _limits(settings):
    return settings.settings.limits


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def office(kind, main=DOCUMENT, **more):
    part, content = MAIN[kind]
    types = f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/{part}" ContentType="{content}"/></Types>'
    relation = f"{TYPES.replace('application/vnd.', 'http://schemas.').replace('-officedocument', '.org/officeDocument')}/2006/relationships/officeDocument"
    rels = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{relation}" Target="{part}"/></Relationships>'
    return zipped({"[Content_Types].xml": types, "_rels/.rels": rels, part: main, **more})


def compound(*names):
    """A compound file whose root holds empty streams of these names."""

    def entry(name, kind, right, child):
        raw = name.encode("utf-16-le")
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<HBB", len(raw) + 2, kind, 1)
            + struct.pack("<III", 0xFFFFFFFF, right, child)
            + b"\0" * 48
        )

    entries = [entry("Root Entry", 5, 0xFFFFFFFF, 1)]
    for place, name in enumerate(names, 1):
        entries.append(entry(name, 2, place + 1 if place < len(names) else 0xFFFFFFFF, 0xFFFFFFFF))
    while len(entries) % 4:
        entries.append(b"\0" * 128)
    sectors = len(entries) // 4
    table = [0xFFFFFFFD, *[place + 2 for place in range(sectors - 1)], 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (128 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    header = header.ljust(44, b"\0") + struct.pack("<II", 1, 1)
    header = header.ljust(60, b"\0") + struct.pack("<IIII", 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + struct.pack("<128I", *table) + b"".join(entries)


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "empty", "damaged.empty"),
        (b"\0" * 5000, "truncated", "damaged.truncated"),
        (b"%PDF-1.7\n...", "pdf", "format.pdf"),
        (b"junk before\n%PDF-1.4", "pdf", "format.pdf"),
        (b"{\\rtf1\\ansi hola}", "rtf", "format.rtf"),
        (b"\x89PNG\r\n\x1a\n....", "image", "format.image"),
        (b"\xff\xd8\xff\xe0 JFIF", "image", "format.image"),
        (b"\0\0\0\x18ftypheic....", "image", "format.image"),
        (b"<!DOCTYPE html><html><body>hola</body></html>", "html", "format.html"),
        ("<html>mañana</html>".encode("latin-1"), "html", "format.html"),
        (b"a;b;c\n1;2;3\n4;5;6\n", "csv", "format.csv"),
        ("Título: Chamas en acción".encode(), "text", "format.text"),
        ("Título".encode("utf-16"), "text", "format.text"),
        (b"Rar!\x1a\x07\0....", "archive", "format.archive"),
        (zipped({"fotos/1.jpg": b"x"}), "zip", "format.zip"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}), "odt", "format.odt"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "ods", "format.ods"),
        (zipped({"Index/Document.iwa": b"x"}), "pages", "format.pages"),
        (office("pptx"), "pptx", "format.pptx"),
        (office("xlsb"), "xlsb", "format.xlsb"),
        (compound("WordDocument", "1Table"), "doc", "format.doc"),
        (compound("Workbook"), "xls", "format.xls"),
        (compound("Book"), "xls", "format.xls"),
        (compound("PowerPoint Document"), "ppt", "format.ppt"),
        (compound("__properties_version1.0"), "msg", "format.msg"),
        (compound("Something"), "ole", "format.ole"),
        (compound("EncryptedPackage", "EncryptionInfo"), "encrypted.password", "encrypted.password"),
        (
            compound("EncryptedPackage", "\x06DataSpaces") + "DRMEncryptedTransform".encode("utf-16-le"),
            "encrypted.label",
            "encrypted.label",
        ),
        (bytes(range(256)) * 4, "unknown", "format.unknown"),
        (b"\x06Ana Ri" + b"\0" * 155, "owner_file", "format.owner_file"),
        (office("docx")[:300], "truncated", "damaged.truncated"),
    ],
)  # fmt: skip
def test_each_kind_of_file_is_known_by_its_bytes(data, kind, code, settings, limits):
    """The kind decides the words that the sender gets; the name counts for nothing."""
    assert kind == identify(data, limits)
    document = parse(data, settings, name="formulario.docx")
    assert (kind, code) == (document.kind, document.findings[0].code)
    assert document.form is None


@pytest.mark.parametrize("kind", ["docx", "docm", "dotx"])
def test_word_documents_and_their_templates_are_opened(kind, settings):
    """A document with macros or a template is read like any other; a file without questions is told apart."""
    document = parse(office(kind), settings)
    assert (
        document.kind,
        [found.code for found in document.findings],
    ) == ("docx", ["template_mismatch.other"])


def test_macros_are_told_and_never_run(settings):
    """A VBA project beside the document is advice."""
    document = parse(office("docm", **{"word/vbaProject.bin": b"x"}), settings)
    assert [found.code for found in document.findings] == ["template_mismatch.other", "macro.present"]


def test_a_document_with_content_of_its_own_is_held(settings):
    """A foreign document with some three hundred words goes to a person."""
    text = "<w:p><w:r><w:t>" + "palabra " * 400 + "</w:t></w:r></w:p>"
    main = DOCUMENT.replace("<w:body>", f"<w:body>{text}")
    finding = parse(office("docx", main), settings).findings[0]
    assert (
        finding.code,
        finding.severity,
        finding.params["words"],
    ) == ("template_mismatch.foreign", "hold", 401)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (office("docx", "<!DOCTYPE w [<!ENTITY a 'b'>]>" + DOCUMENT), "unsafe.entities"),
        (office("docx", ("<!DOCTYPE w [<!ENTITY a 'b'>]>" + DOCUMENT).encode("utf-16")), "unsafe.entities"),
        (office("docx", "<a>" * 3000 + "</a>" * 3000), "unsafe.nesting"),
        (office("docx", DOCUMENT.replace("hola", " " * 60_000_000)), "unsafe.ratio"),
        (office("docx", DOCUMENT.replace("hola", " " * 130_000_000)), "unsafe.ratio"),
        (zipped({f"{number}": b"" for number in range(2100)}), "unsafe.members"),
        (office("docx", "<w:document"), "damaged.xml"),
        (office("docx", "<other/>"), "damaged.part"),
        (office("docx").replace(b"PK\x01\x02", b"PK\x01\x03"), "damaged.zip"),
    ],
)
def test_what_is_unsafe_or_damaged_is_told_before_memory_is_spent(data, code, settings):
    """Declarations, depth, size and damage each have their finding; what is unsafe brings a person."""
    finding = parse(data, settings).findings[0]
    assert code == finding.code
    assert ("hold" if code.startswith("unsafe.") else "advice") == finding.severity


def test_declared_sizes_are_not_believed(settings):
    """A member that says it is small and is not ends in a finding after what is allowed was read."""
    data = bytearray(office("docx", DOCUMENT.replace("hola", " " * 60_000_000)))
    real = struct.pack("<I", len(DOCUMENT) - 4 + 60_000_000)
    assert data.count(real) == 2, "the size stands in the member's head and in the directory"
    lying = bytes(data).replace(real, struct.pack("<I", 1000))
    assert parse(lying, settings).findings[0].code in {"unsafe.ratio", "damaged.member", "damaged.xml"}


def test_a_locked_member_is_a_password(settings):
    """A member with the encryption bit set cannot be read without a password."""
    data = bytearray(office("docx"))
    place = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 1) + 1)
    data[place + 8] |= 1
    assert parse(bytes(data), settings).findings[0].code == "encrypted.password"


def test_a_broken_compound_file_has_no_names():
    """A directory that points at itself or beyond the file is no endless walk."""
    data = bytearray(compound("WordDocument"))
    data[512:516] = struct.pack("<I", 0)
    data[516:520] = struct.pack("<I", 1)
    assert root_names(bytes(data)) <= {"WordDocument"}
    assert frozenset() == root_names(bytes(data[:100]))


def test_no_bytes_raise(settings):
    """Cut and flipped packages, and noise, always yield a document."""
    chance = random.Random(7)
    whole = office("docx", **{"docProps/custom.xml": "<a/>"})
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        document = parse(bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]), settings)
        assert document.form is None
        assert document.findings
    for size in range(1, 200):
        assert parse(chance.randbytes(size), settings).findings
