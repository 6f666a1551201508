"""One worksheet part: its rows and cells found, filled and added, everything else in it left alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from lxml import etree

from intake.register import ranges
from intake.register.book import REL, Book
from intake.register.cells import MAIN, tag
from intake.register.errors import unreadable

_FORMULA = "http://schemas.microsoft.com/office/excel/2006/main"
# CT_Worksheet is a sequence: `hyperlinks` stands behind all of these (ECMA-376 part 1, 18.3.1.99).
_BEFORE_LINKS = frozenset(
    {
        *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr"),
        *("sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate"),
        *("customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations"),
    }
)


class Grid:
    """A worksheet.

    Args:
        book: The workbook.
        path: The worksheet's part.
    """

    def __init__(self, book: Book, path: str) -> None:
        self.book = book
        self.path = path
        self.root = book.tree(path)
        data = self.root.find(tag("sheetData"))
        if data is None:
            raise unreadable("damaged", f"the part {path} has no rows")
        self._data = data
        self._normalise()
        self._rows = {int(row.get("r")): row for row in data.iterchildren(tag("row"))}
        self.numbers = sorted(self._rows)
        self._cells: dict[int, dict[str, Any]] = {}
        self._links: dict[str, Any] | None = None

    def _normalise(self) -> None:
        """Gives rows and cells that state no address the one they have by their place (18.3.1.4, 18.3.1.73)."""
        find = "boolean(m:row[not(@r)] | m:row/m:c[not(@r)])"
        if not self._data.xpath(find, namespaces={"m": MAIN}):
            return
        row_number = 0
        for row in self._data.iterchildren(tag("row")):
            row_number = int(row.get("r", row_number + 1))
            row.set("r", str(row_number))
            column = 0
            for cell in row.iterchildren(tag("c")):
                stated = cell.get("r")
                column = ranges.number(_column(stated)) if stated else column + 1
                cell.set("r", f"{ranges.letters(column)}{row_number}")

    # -- reading

    def cell(self, row: int, column: int) -> Any:
        """The cell's element, or `None`."""
        if row not in self._cells:
            element = self._rows.get(row)
            found = element.iterchildren(tag("c")) if element is not None else ()
            self._cells[row] = {each.get("r"): each for each in found}
        return self._cells[row].get(f"{ranges.letters(column)}{row}")

    def text(self, row: int, column: int) -> str:
        """What the cell says; `""` where there is none."""
        cell = self.cell(row, column)
        return "" if cell is None else self.book.text(cell)

    def column_texts(self, column: int, below: int) -> Iterator[tuple[int, str]]:
        """Row number and text of the non-empty cells of a column below a row."""
        name = ranges.letters(column)
        for row in self.numbers:
            if row <= below:
                continue
            wanted = f"{name}{row}"
            for cell in self._rows[row]:
                if cell.get("r") == wanted:
                    if text := self.book.text(cell):
                        yield row, text
                    break

    def row_texts(self, row: int) -> dict[int, str]:
        """Column number to text of the non-empty cells of a row."""
        element = self._rows.get(row)
        found = {}
        for cell in element if element is not None else ():
            if cell.tag == tag("c") and (text := self.book.text(cell)):
                found[ranges.number(_column(cell.get("r")))] = text
        return found

    def occupied(self, row: int, left: int, right: int) -> bool:
        """Whether any cell between two columns of a row holds a value or a formula."""
        element = self._rows.get(row)
        for cell in element if element is not None else ():
            if len(cell) and left <= ranges.number(_column(cell.get("r"))) <= right:
                return True
        return False

    def last_occupied(self, left: int, right: int, *, above: int, until: int) -> int:
        """The last row up to `until` that holds anything between two columns, else `above`."""
        for row in reversed(self.numbers):
            if above < row <= until and self.occupied(row, left, right):
                return row
        return above

    def column_style(self, column: int) -> str | None:
        """The format of a column's cells that are not there yet."""
        for node in self.root.iterfind(f"{tag('cols')}/{tag('col')}"):
            if int(node.get("min")) <= column <= int(node.get("max")):
                style = node.get("style")
                return str(style) if style else None
        return None

    # -- writing

    def make_cell(self, row: int, column: int, style: str | None) -> Any:
        """The cell's element, made in its place if there is none."""
        found = self.cell(row, column)
        if found is not None:
            return found
        element = self._make_row(row)
        # The hint of which columns are filled would be wrong; it may be left out (18.3.1.73).
        element.attrib.pop("spans", None)
        cell = etree.Element(tag("c"))
        cell.set("r", f"{ranges.letters(column)}{row}")
        if style and style != "0":
            cell.set("s", style)
        behind = (
            place
            for place, each in enumerate(element)
            if each.tag != tag("c") or ranges.number(_column(each.get("r"))) > column
        )
        element.insert(next(behind, len(element)), cell)
        self._cells[row][cell.get("r")] = cell
        return cell

    def _make_row(self, row: int) -> Any:
        if row in self._rows:
            return self._rows[row]
        element = etree.Element(tag("row"))
        element.set("r", str(row))
        place = bisect_left(self.numbers, row)
        if place == len(self.numbers):
            self._data.append(element)
        else:
            self._rows[self.numbers[place]].addprevious(element)
        self.numbers.insert(place, row)
        self._rows[row] = element
        return element

    def set_height(self, row: int, points: int) -> None:
        """Fixes the height of a row that has none of its own."""
        element = self._make_row(row)
        if element.get("ht") is None:
            element.set("ht", str(points))
            element.set("customHeight", "1")

    def move_row(self, row: int, target: int) -> None:
        """Moves a row to a place where none is; formulas in it are carried as they stand."""
        self._cells.clear()
        element = self._rows.pop(row)
        self._data.remove(element)
        self.numbers.remove(row)
        old = self._rows.pop(target, None)
        if old is not None:
            self._data.remove(old)
            self.numbers.remove(target)
        element.set("r", str(target))
        for cell in element.iterchildren(tag("c")):
            cell.set("r", f"{_column(cell.get('r'))}{target}")
        place = bisect_left(self.numbers, target)
        if place == len(self.numbers):
            self._data.append(element)
        else:
            self._rows[self.numbers[place]].addprevious(element)
        self.numbers.insert(place, target)
        self._rows[target] = element

    def link(self, row: int, column: int, url: str) -> bool:
        """Puts an address behind a cell (or takes it away, where empty); says whether that changed anything."""
        address = f"{ranges.letters(column)}{row}"
        node = self._link_nodes().get(address)
        if node is not None:
            rel_id = node.get(f"{{{REL}}}id")
            if rel_id and self.book.link_target(self.path, rel_id) == url:
                return False
            others = self._link_nodes().values()
            if rel_id and not any(each is not node and each.get(f"{{{REL}}}id") == rel_id for each in others):
                self.book.remove_link(self.path, rel_id)
        elif not url:
            return False
        rel_id = self.book.add_link(self.path, url)
        if rel_id is None:
            return self._unlink(address)
        if node is None:
            node = etree.SubElement(self._link_holder(), tag("hyperlink"), nsmap={"r": REL})
            node.set("ref", address)
            self._link_nodes()[address] = node
        node.attrib.pop("location", None)
        node.set(f"{{{REL}}}id", rel_id)
        return True

    def _unlink(self, address: str) -> bool:
        node = self._link_nodes().pop(address, None)
        if node is None:
            return False
        holder = node.getparent()
        holder.remove(node)
        # An empty list of links is not allowed by the schema.
        if not len(holder):
            holder.getparent().remove(holder)
        return True

    def _link_nodes(self) -> dict[str, Any]:
        if self._links is None:
            nodes = self.root.iterfind(f"{tag('hyperlinks')}/{tag('hyperlink')}")
            self._links = {str(node.get("ref")): node for node in nodes}
        return self._links

    def _link_holder(self) -> Any:
        holder = self.root.find(tag("hyperlinks"))
        if holder is not None:
            return holder
        before = {tag(name) for name in _BEFORE_LINKS}
        last = [child for child in self.root if child.tag in before][-1]
        holder = etree.Element(tag("hyperlinks"))
        last.addnext(holder)
        return holder

    # -- after rows were added

    def grow(self, growth: ranges.Growth) -> None:
        """Enlarges what was laid over a table's rows: filter, rules of format and entry, merged areas not."""
        for name in ("autoFilter", "conditionalFormatting", "dataValidations/dataValidation"):
            attribute = "ref" if name == "autoFilter" else "sqref"
            for node in self.root.iterfind("/".join(tag(step) for step in name.split("/"))):
                if node.get(attribute):
                    node.set(attribute, ranges.grown_list(node.get(attribute), growth))
        for node in self.root.iter(f"{{{_FORMULA}}}sqref"):
            node.text = ranges.grown_list(node.text or "", growth)
        self._grow_dimension(growth)

    def _grow_dimension(self, growth: ranges.Growth) -> None:
        # Some readers believe this range and drop what stands outside it without a word.
        node = self.root.find(tag("dimension"))
        area = ranges.parse(node.get("ref", "")) if node is not None else None
        if node is None:
            return
        if area is None:
            self.root.remove(node)
            return
        larger = ranges.Range(
            left=min(area.left, growth.left),
            top=area.top,
            right=max(area.right, growth.right),
            bottom=max(area.bottom, growth.new),
        )
        node.set("ref", ranges.write(larger))


def _column(address: str) -> str:
    return address.rstrip("0123456789")
