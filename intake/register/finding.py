"""Which row is whose: by the two hidden keys, and by the reference where cells were moved without them."""

from __future__ import annotations

from intake.register import cells
from intake.register.layout import KEY, KEY_AGAIN
from intake.register.place import Place
from intake.register.wanted import Row, Texts


class Finder:
    """The rows of a table by their keys."""

    def __init__(self, place: Place) -> None:
        self._first = self._read(place, KEY)
        self._second = self._read(place, KEY_AGAIN)
        self.able = self._first is not None or self._second is not None

    @staticmethod
    def _read(place: Place, column: str) -> dict[str, set[int]] | None:
        if column not in place.columns:
            return None
        found: dict[str, set[int]] = {}
        for row, text in place.grid.column_texts(place.columns[column], place.header):
            found.setdefault(text.strip(), set()).add(row)
        return found

    def rows(self, key: str) -> tuple[set[int], set[int]]:
        """Rows that bear the key in the first and in the second key column."""
        return (self._first or {}).get(key, set()), (self._second or {}).get(key, set())

    def agree(self, key: str) -> bool:
        """Whether both key columns, as far as they are there, name the same rows."""
        if self._first is None or self._second is None:
            return True
        return self._first.get(key) == self._second.get(key)


class References:
    """Whose reference is which, as far as we wrote them.

    Args:
        texts: What we last wrote.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._keys: dict[tuple[str, str], str] | None = None

    def of_another(self, place: Place, row: Row, number: int) -> bool:
        """Whether the row shows another case's reference: its cells were sorted away from their keys."""
        if "reference" not in place.columns or "reference" not in row.cells:
            return False
        shown = place.grid.text(number, place.columns["reference"])
        if not shown or shown == cells.text_of(row.cells["reference"]):
            return False
        if self._keys is None:
            # Made only once something is amiss: it walks through all that was ever written.
            self._keys = {
                (sheet, each): key
                for (sheet, key, column), text in self._texts.items()
                if column == "reference"
                for each in known(text)
            }
        return self._keys.get((place.sheet.key, shown), row.key) != row.key


def known(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """The texts that are ours, the last one written at the end."""
    return (text,) if isinstance(text, str) else text
