"""What kind of file is this, by its bytes; dare we open it. The only place that opens packages.

Limits hold before memory is spent: the directory is checked first, each needed part is read in bounded
pieces because declared sizes lie, no document type declaration is accepted, nothing is fetched.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any, Final

from lxml import etree

from config.settings import Limits
from parsers.compound import MAGIC as COMPOUND_MAGIC
from parsers.compound import identify_compound
from parsers.form import Finding, Severity

_CHUNK: Final = 1 << 16
# A part this small may be squeezed as hard as it likes.
_RATIO_FLOOR: Final = 1 << 20
# Tags and attributes of one part; a tree costs some 150 bytes for each.
MOST_MARKS: Final = 2_000_000
_MAIN_KINDS: Final[Mapping[str, str]] = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": "docx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml": "docx",
    "application/vnd.ms-word.document.macroenabled.main+xml": "docx",
    "application/vnd.ms-word.template.macroenabledtemplate.main+xml": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": "xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml": "xlsx",
    "application/vnd.ms-excel.sheet.macroenabled.main+xml": "xlsx",
    "application/vnd.ms-excel.template.macroenabled.main+xml": "xlsx",
    "application/vnd.ms-excel.addin.macroenabled.main+xml": "xlsx",
    "application/vnd.ms-excel.sheet.binary.macroenabled.main": "xlsb",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": "pptx",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml": "pptx",
    "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml": "pptx",
    "application/vnd.ms-powerpoint.presentation.macroenabled.main+xml": "pptx",
}
_MAIN_PARTS: Final[Mapping[str, str]] = {
    "word/document.xml": "docx",
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsb",
    "ppt/presentation.xml": "pptx",
}
_OPEN_DOCUMENT: Final[Mapping[bytes, str]] = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
_IMAGES: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*",
)  # fmt: skip
_HEIF: Final = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"})
_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")
_OLD_EXCEL: Final = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00")
_OLD_WORD: Final = (b"\xdb\xa5\x2d\x00", b"\x31\xbe\x00\x00", b"\xfe7\x00\x23")
_DECLARATIONS: Final = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_OWNER_SIZES: Final = frozenset({162, 165})
_READ_ERRORS: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError,
    NotImplementedError, ValueError, IndexError, OverflowError, LookupError,
)  # fmt: skip


def file_finding(code: str, severity: Severity | None = None, **params: Any) -> Finding:
    """A finding about the file; what is unsafe brings a person."""
    unsafe = code.startswith("unsafe.")
    return Finding(code=code, severity=severity or ("hold" if unsafe else "advice"), params=params)


class UnreadableError(Exception):
    """The file cannot be read; `finding` says why. Never leaves the parsers."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.finding = file_finding(code, **params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a file is.

    Attributes:
        kind: See `identify`.
        package: The open package of a `docx` or `xlsx`.
        finding: Why it cannot be read as a form; `None` for `docx` and `xlsx` that may be opened.
    """

    kind: str
    package: Package | None = None
    finding: Finding | None = None


class Package:
    """An Open Packaging package (ECMA-376 part 2) whose directory was found harmless."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self.limits = limits
        self._relations: dict[str, dict[str, tuple[str, str]]] = {}
        # Some writers use other capitals, a leading slash or backslashes.
        self._members = {
            _plain(info.filename): info for info in archive.infolist() if not info.filename.endswith("/")
        }

    @property
    def names(self) -> frozenset[str]:
        """Names of the parts, lower case, without a leading slash."""
        return frozenset(self._members)

    @property
    def has_macros(self) -> bool:
        """Whether it carries a VBA project; it is never read."""
        return any(posixpath.basename(name) == "vbaproject.bin" for name in self._members)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part in pieces, ending in an error where it grows beyond what is allowed.

        Raises:
            UnreadableError: Absent, locked, damaged, or too large.
        """
        info = self._members.get(_plain(name))
        if info is None:
            raise UnreadableError("damaged.part", part=name)
        if info.flag_bits & 0x1:
            raise UnreadableError("encrypted.password")
        # Others than these two may ask for gigabytes before the first byte comes.
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnreadableError("damaged.member", part=name)
        total = 0
        most = max(_RATIO_FLOOR, info.compress_size * self.limits.package_ratio)
        try:
            with self._archive.open(info) as member:
                while chunk := member.read(_CHUNK):
                    total += len(chunk)
                    if total > self.limits.part_bytes:
                        raise UnreadableError("unsafe.size")
                    if total > most:
                        raise UnreadableError("unsafe.ratio")
                    yield chunk
        except _READ_ERRORS as error:
            raise UnreadableError("damaged.member", part=name) from error

    def read(self, name: str) -> bytes:
        """A whole part.

        Raises:
            UnreadableError: As `chunks`.
        """
        return b"".join(self.chunks(name))

    def xml(self, name: str) -> Any:
        """The root element of an XML part.

        Raises:
            UnreadableError: As `chunks`; or it is no XML, has a document type, or too many tags.
        """
        return parse_xml(self.read(name), name)

    def has(self, name: str) -> bool:
        """Whether the part is there."""
        return _plain(name) in self._members

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Relations of a part: id to (last word of the type, part name); `""` for the package's own."""
        if part in self._relations:
            return self._relations[part]
        folder, name = posixpath.split(part)
        place = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has(place):
            return {}
        found = self._relations[part] = {}
        for relation in self.xml(place):
            if not isinstance(relation.tag, str) or relation.get("TargetMode") == "External":
                continue
            target = (relation.get("Target") or "").replace("\\", "/")
            whole = target if target.startswith("/") else posixpath.join("/", folder, target)
            kind = (relation.get("Type") or "").rsplit("/", 1)[-1]
            found[relation.get("Id") or ""] = (kind, posixpath.normpath(whole).lstrip("/"))
        return found

    @cached_property
    def main_part(self) -> str:
        """Name of the document or workbook part.

        Raises:
            UnreadableError: There is none.
        """
        for kind, target in self.relations("").values():
            if kind == "officeDocument" and self.has(target):
                return target
        for name in _MAIN_PARTS:
            if self.has(name):
                return name
        raise UnreadableError("damaged.part", part="officeDocument")

    def properties(self) -> dict[str, str]:
        """Custom document properties by name; none where they cannot be read."""
        try:
            place = next(
                (target for kind, target in self.relations("").values() if kind == "custom-properties"),
                "docProps/custom.xml",
            )
            if not self.has(place):
                return {}
            root = self.xml(place)
        except UnreadableError:
            return {}
        return {
            item.get("name") or "": "".join(item.itertext()).strip()
            for item in root
            if isinstance(item.tag, str)
        }

    def kind(self) -> str:
        """`docx`, `xlsx`, `xlsb`, `pptx`, `odt`, `ods`, `odp`, `pages`, or `zip` for no office file.

        Raises:
            UnreadableError: The list of content types is damaged.
        """
        if self.has("mimetype"):
            word = b"".join(self.chunks("mimetype"))[:200].strip()
            for start, kind in _OPEN_DOCUMENT.items():
                if word.startswith(start):
                    return kind
        if self.has("index/document.iwa"):
            return "pages"
        if self.has("[content_types].xml"):
            for entry in self.xml("[Content_Types].xml"):
                main = _MAIN_KINDS.get((entry.get("ContentType") or "").lower().strip())
                if main:
                    return main
        for name, likely in _MAIN_PARTS.items():
            if self.has(name):
                return likely
        return "zip"


def parse_xml(data: bytes, name: str) -> Any:
    """The root element; no entity is expanded, nothing is fetched.

    Raises:
        UnreadableError: No XML, a document type declaration, too deep or too many tags.
    """
    refuse_declarations(data)
    if data.count(b"<") + data.count(b"=") > MOST_MARKS:
        raise UnreadableError("unsafe.size")
    try:
        root = etree.fromstring(data, xml_parser())
    except etree.XMLSyntaxError as error:
        raise xml_problem(error, name) from error
    except ValueError as error:
        raise UnreadableError("damaged.xml", part=name) from error
    if root is None:
        raise UnreadableError("damaged.xml", part=name)
    if root.getroottree().docinfo.doctype:
        raise UnreadableError("unsafe.entities")
    return root


def xml_parser() -> Any:
    """A parser that expands nothing, fetches nothing, and ends where input is absurd."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def refuse_declarations(data: bytes) -> None:
    """Office never writes a document type; who does wants something else.

    Raises:
        UnreadableError: There is one, in any usual encoding.
    """
    if any(mark in data for mark in _DECLARATIONS):
        raise UnreadableError("unsafe.entities")


def xml_problem(error: etree.XMLSyntaxError, name: str) -> UnreadableError:
    """Damage, or a limit of the XML library (depth 256, one text of ten million bytes)."""
    limits = {etree.ErrorTypes.ERR_INTERNAL_ERROR, getattr(etree.ErrorTypes, "ERR_RESOURCE_LIMIT", -1)}
    if error.code in limits:
        return UnreadableError("unsafe.nesting")
    return UnreadableError("damaged.xml", part=name)


def identify(data: bytes, limits: Limits) -> str:
    """What a file is, by its bytes alone; never raises for any bytes.

    Returns:
        `docx` and `xlsx` (with templates and files with macros), `xlsb`, `pptx`, `doc`, `xls`, `ppt`, `msg`,
        `odt`, `ods`, `odp`, `pages`, `rtf`, `pdf`, `image`, `html`, `csv`, `text`, `zip`, `archive`, `ole`,
        `encrypted.password`, `encrypted.label`, `empty`, `owner_file`, `truncated`, `unknown`.
    """
    return examine(data, limits).kind


def examine(data: bytes, limits: Limits, name: str = "") -> Examined:
    """What a file is, and its package where it can be read.

    Args:
        data: The file.
        limits: What may be opened.
        name: The file's name, only to know a lock file of Office (`~$name.docx`).
    """
    if not data:
        return _refused("empty", "damaged.empty")
    owner = data[0] <= 54 and len(data) in _OWNER_SIZES and not data.startswith((b"PK", b"{\\rtf"))
    if owner and (name.startswith("~$") or b"\x00" in data or data[1 + data[0] : 54].strip() == b""):
        return _refused("owner_file", "format.owner_file")
    if data.startswith(COMPOUND_MAGIC):
        kind = identify_compound(data)
        return _refused(kind, kind if kind.startswith("encrypted.") else f"format.{kind}")
    if data.startswith(b"PK") or (b"PK\x05\x06" in data[-65_600:] and b"[Content_Types].xml" in data):
        return _examine_zip(data, limits)
    kind = _plain_kind(data)
    if kind == "zeros":
        return _refused("truncated", "damaged.truncated")
    return _refused(kind, f"format.{kind}")


def _examine_zip(data: bytes, limits: Limits) -> Examined:
    if b"PK\x05\x06" not in data[-65_600:]:
        return _refused("truncated", "damaged.truncated")
    # Counted before the directory is read: reading it makes an object of every entry.
    if data.count(b"PK\x01\x02") > limits.package_members:
        return _refused("zip", "unsafe.members")
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (*_READ_ERRORS, zlib.error):
        return _refused("zip", "damaged.zip")
    except Exception as error:  # noqa: BLE001  # struct.error and the like, all of them: no directory.
        del error
        return _refused("zip", "damaged.zip")
    members = archive.infolist()
    if sum(info.file_size for info in members) > limits.package_bytes:
        squeezed = sum(info.compress_size for info in members) or 1
        huge = sum(info.file_size for info in members) / squeezed > limits.package_ratio
        return _refused("zip", "unsafe.ratio" if huge else "unsafe.size")
    package = Package(archive, limits)
    if not package.names:
        return _refused("zip", "damaged.zip")
    try:
        kind = package.kind()
    except UnreadableError as error:
        return Examined(kind="zip", finding=error.finding)
    if kind in {"docx", "xlsx"}:
        return Examined(kind=kind, package=package)
    return Examined(kind=kind, package=package, finding=file_finding(f"format.{kind}"))


def _refused(kind: str, code: str) -> Examined:
    return Examined(kind=kind, finding=file_finding(code))


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _plain_kind(data: bytes) -> str:
    head = data[:4096]
    if not head.strip(b"\x00"):
        return "zeros"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "image"
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == len(data):
        return "image"
    if head.lstrip().startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        return "archive"
    if head.startswith(_OLD_EXCEL):
        return "xls"
    if head.startswith(_OLD_WORD):
        return "doc"
    return _text_kind(data)


def _text_kind(data: bytes) -> str:
    text = _decoded(data[:65_536])
    if text is None:
        return "unknown"
    start = text.lstrip("\ufeff \t\r\n").lower()[:4000]
    if start.startswith(("<!doctype html", "<html", "<head", "<body", "<table", "<div", "<meta")):
        return "html"
    if start.startswith("<?xml") and "<html" in start:
        return "html"
    if start.startswith(("<?xml", "<svg")) and "<svg" in start:
        return "image"
    if start.startswith("mime-version:") and "multipart/related" in start:
        return "html"
    if start.startswith("<?xml"):
        return "unknown"
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    for separator in (";", "\t", ","):
        counts = {line.count(separator) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return "csv"
    return "text"


def _decoded(head: bytes) -> str | None:
    """The text, where it is text: printable, in Unicode or the encoding of western Windows."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    if b"\x00" in head:
        return None
    control = sum(head.count(bytes([code])) for code in (*range(1, 7), *range(14, 27), 28, 29, 30, 31))
    if control > len(head) // 100:
        return None
    return head.decode("utf-8", "replace")
