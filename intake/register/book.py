"""The workbook's own parts: which sheet is which part, defined names, strings, styles.

Parts are parsed without document types, entities or network, and only those that are asked for.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from lxml import etree

from intake.register import cells, ranges
from intake.register.cells import tag
from intake.register.errors import unreadable
from intake.register.package import Package
from intake.register.styles import Style, read_styles

REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_REL = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_STRICT = "http://purl.oclc.org/ooxml/"
_CONTENT_TYPES = "[Content_Types].xml"
_URL_LONGEST = 2_079


class Book:
    """A workbook being read, and changed part by part.

    Args:
        package: Its parts.

    Raises:
        RegisterUnreadable: It is no workbook that can be read.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self._trees: dict[str, Any] = {}
        self._links: dict[str, dict[str, Any]] = {}
        self._rel_ids: dict[str, set[str]] = {}
        self._changed: set[str] = set()
        self._dropped: set[str] = set()
        self.path = self._office_document()
        self.root = self.tree(self.path)
        if str(self.root.tag).startswith("{" + _STRICT):
            raise unreadable("strict", "it was saved as Strict Open XML; save it as .xlsx again")
        if self.root.tag != tag("workbook"):
            raise unreadable("damaged", "it is no workbook")
        properties = self.root.find(tag("workbookPr"))
        self.from_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        self.sheets = self._sheets()
        self.names = self._names()
        self._strings: list[str] | None = None
        self._styles: list[Style] | None = None

    # -- parts

    def tree(self, path: str) -> Any:
        """The root element of a part, parsed once."""
        if path not in self._trees:
            self._trees[path] = _parse(path, self.package.read(path))
        return self._trees[path]

    def touch(self, path: str) -> None:
        """Says that a part's tree was changed."""
        self._changed.add(path)

    def rebuild(self) -> bytes:
        """The workbook with the changed parts written anew."""
        changes = {path: _serialise(self._trees[path]) for path in sorted(self._changed)}
        return self.package.rebuild(changes, frozenset(self._dropped))

    @property
    def changed(self) -> bool:
        """Whether any part was changed."""
        return bool(self._changed)

    def related(self, path: str) -> list[tuple[str, str, str]]:
        """Id, last word of the type, and target part of each internal relationship of a part."""
        rels = rels_path(path)
        if rels not in self.package and rels not in self._trees:
            return []
        found = []
        for rel in self.tree(rels):
            if rel.tag == f"{{{_PACKAGE_REL}}}Relationship" and rel.get("TargetMode") != "External":
                kind = str(rel.get("Type", "")).rsplit("/", 1)[-1]
                found.append((str(rel.get("Id")), kind, _target(path, str(rel.get("Target", "")))))
        return found

    def link_target(self, path: str, rel_id: str) -> str | None:
        """Target of an external relationship of a part."""
        rel = self._external(path).get(rel_id)
        return None if rel is None else str(rel.get("Target"))

    def add_link(self, path: str, url: str) -> str | None:
        """A new external relationship of a part; `None` where Excel could not open the address."""
        if not url or len(url) > _URL_LONGEST or re.search(r"[\x00-\x20\x7f<>\"]", url):
            return None
        links = self._external(path)
        rels = rels_path(path)
        if rels not in self.package and rels not in self._trees:
            self._trees[rels] = etree.Element(f"{{{_PACKAGE_REL}}}Relationships", nsmap={None: _PACKAGE_REL})
        root = self.tree(rels)
        if path not in self._rel_ids:
            self._rel_ids[path] = {str(rel.get("Id")) for rel in root}
        taken = self._rel_ids[path]
        count = len(taken) + 1
        while f"rId{count}" in taken:
            count += 1
        rel_id = f"rId{count}"
        taken.add(rel_id)
        node = etree.SubElement(root, f"{{{_PACKAGE_REL}}}Relationship")
        node.set("Id", rel_id)
        node.set("Type", f"{REL}/hyperlink")
        node.set("Target", url)
        node.set("TargetMode", "External")
        links[rel_id] = node
        self.touch(rels)
        return rel_id

    def remove_link(self, path: str, rel_id: str) -> None:
        """Takes an external relationship out of a part."""
        rel = self._external(path).pop(rel_id, None)
        if rel is not None:
            rel.getparent().remove(rel)
            self.touch(rels_path(path))

    def _external(self, path: str) -> dict[str, Any]:
        """The external relationships of a part by id, looked up once."""
        if path not in self._links:
            rels = rels_path(path)
            there = rels in self.package or rels in self._trees
            self._links[path] = {
                str(rel.get("Id")): rel
                for rel in (self.tree(rels) if there else ())
                if rel.get("TargetMode") == "External"
            }
        return self._links[path]

    def drop_calculation_chain(self) -> None:
        """Leaves out the order of calculation, which Excel makes anew; a stale one makes it repair the file."""
        for rel_id, kind, target in self.related(self.path):
            if kind != "calcChain" or target not in self.package:
                continue
            rels = self.tree(rels_path(self.path))
            for rel in [each for each in rels if each.get("Id") == rel_id]:
                rels.remove(rel)
            types = self.tree(_CONTENT_TYPES)
            for node in [each for each in types if each.get("PartName") == f"/{target}"]:
                types.remove(node)
            self._dropped.add(target)
            self.touch(rels_path(self.path))
            self.touch(_CONTENT_TYPES)

    # -- names

    def grow_names(self, sheet: str, growth: ranges.Growth) -> None:
        """Enlarges print areas, filters and people's own names that reach the end of a table that grew."""
        holder = self.root.find(tag("definedNames"))
        for node in holder if holder is not None else ():
            text = node.text or ""
            parts = ranges.split_place(text)
            if not parts or parts[0] != sheet:
                continue
            area = ranges.parse(parts[1])
            larger = ranges.grown(area, growth) if area else None
            if larger:
                node.text = text[: len(text) - len(parts[1])] + ranges.write(larger, absolute=True)
                self.touch(self.path)

    # -- cells

    def text(self, cell: Any) -> str:
        """What a cell says, as text comparable with `cells.text_of`; a formula's last result."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            holder = cell.find(tag("is"))
            return cells.string_text(holder) if holder is not None else ""
        node = cell.find(tag("v"))
        raw = (node.text or "") if node is not None else ""
        if kind == "s":
            return self._string(raw)
        if kind == "str":
            return cells.unescape(raw)
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if kind == "n" and raw and self.style(cell.get("s")).date:
            return self._moment(raw)
        return cells.number_text(raw) if kind == "n" and raw else raw

    def _moment(self, raw: str) -> str:
        try:
            return cells.moment_text(float(raw), from_1904=self.from_1904) or raw
        except (ValueError, OverflowError):
            return raw

    def _string(self, raw: str) -> str:
        if self._strings is None:
            self._strings = []
            for _, kind, target in self.related(self.path):
                if kind == "sharedStrings":
                    self._strings = [cells.string_text(node) for node in self.tree(target).iter(tag("si"))]
        try:
            return self._strings[int(raw)]
        except (ValueError, IndexError) as error:
            raise unreadable("damaged", "a cell points to a text that is not there") from error

    def date_style(self, *, time: bool) -> str | None:
        """A format without fill that shows dates, with or without the hour; `None` where the book has none."""
        self.style(None)
        for index, style in enumerate(self._styles or ()):
            if style.date and style.time is time and not style.filled:
                return str(index)
        return None

    def style(self, index: str | None) -> Style:
        """What matters of the cell format with this index."""
        if self._styles is None:
            root = next(
                (self.tree(part) for _, kind, part in self.related(self.path) if kind == "styles"), None
            )
            self._styles = [] if root is None else read_styles(root)
        try:
            return self._styles[int(index or 0)]
        except (ValueError, IndexError):
            return Style(date=False, time=False, filled=False)

    # -- reading of the workbook part

    def _office_document(self) -> str:
        for rel in self.tree("_rels/.rels"):
            if str(rel.get("Type", "")).endswith("/officeDocument"):
                return _target("", str(rel.get("Target", "")))
        raise unreadable("damaged", "it is no workbook")

    def _sheets(self) -> dict[str, str]:
        """Sheet name to part, in the order of the tabs; chart sheets left out."""
        parts = {rel_id: target for rel_id, kind, target in self.related(self.path) if kind == "worksheet"}
        found = {}
        for node in self.root.iterfind(f"{tag('sheets')}/{tag('sheet')}"):
            part = parts.get(str(node.get(f"{{{REL}}}id")))
            if part:
                found[str(node.get("name"))] = part
        return found

    def _names(self) -> dict[str, tuple[str, str]]:
        """Defined names of the whole workbook that mean a place: name to sheet and range."""
        found = {}
        for node in self.root.iterfind(f"{tag('definedNames')}/{tag('definedName')}"):
            # A copied sheet brings names of its own; ours are the workbook's.
            place = ranges.split_place(node.text or "") if node.get("localSheetId") is None else None
            if place:
                found[str(node.get("name"))] = place
        return found


def rels_path(path: str) -> str:
    """Where the relationships of a part stand."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "_rels", name + ".rels")


def _target(path: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _parse(path: str, content: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise unreadable("damaged", f"the part {path} is no well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable("unsafe", f"the part {path} declares a document type")
    return root


def _serialise(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
