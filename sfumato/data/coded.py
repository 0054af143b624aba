"""Columns of words and of ids as numbers and packed letters, since a hundred thousand strings take much room."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Ids:
    """The ids of pictures in their order, letter beside letter; they are found by halving.

    A list of them with a dict to find them takes four times as much room.
    """

    def __init__(self, packed: "np.ndarray[Any, Any] | None" = None) -> None:
        import numpy as np

        self._packed = np.empty(0, "S1") if packed is None else packed

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, place: int) -> str:
        return str(self._packed[place].decode())

    def places(self, said: Sequence[str]) -> "np.ndarray[Any, Any]":
        """The place of each of these, -1 for one that is not here."""
        import numpy as np

        wanted = np.array(said, "S") if len(said) else np.empty(0, "S1")
        if not len(self._packed):
            return np.full(len(wanted), -1)
        places = np.minimum(np.searchsorted(self._packed, wanted), len(self._packed) - 1)
        return np.where(self._packed[places] == wanted, places, -1)

    def known(self, said: Iterable[str]) -> set[str]:
        """Those of these that are here."""
        given = list(said)
        return {one for one, place in zip(given, self.places(given).tolist(), strict=True) if place >= 0}

    def with_more(self, said: Sequence[str]) -> "Ids":
        """These and the new ones among what is `said`."""
        import numpy as np

        fresh = sorted(set(said) - self.known(said))
        return Ids(np.sort(np.concatenate([self._packed, np.array(fresh, "S")]))) if fresh else self


class Coded:
    """A column of words: for each picture the place of its word among `values`."""

    def __init__(self, said: Iterable[str] = ()) -> None:
        import numpy as np

        self.places: dict[str, int] = {}
        self.codes: np.ndarray[Any, Any] = np.array([self._place(one) for one in said], np.int32)

    def _place(self, value: str) -> int:
        return self.places.setdefault(value, len(self.places))

    @property
    def values(self) -> list[str]:
        """All different words, in the order in which they came."""
        return list(self.places)

    def find(self, value: str) -> int:
        """The place of a word, -1 where no picture has it."""
        return self.places.get(value, -1)

    def changed(self, places: "np.ndarray[Any, Any]", said: Sequence[str], n: int) -> "Coded":
        """The column with other words at these places, and room for `n` pictures."""
        import numpy as np

        fresh = Coded()
        fresh.places = dict(self.places)
        fresh.codes = np.concatenate([self.codes, np.full(n - len(self.codes), fresh._place(""), np.int32)])
        fresh.codes[places] = [fresh._place(one) for one in said]
        return fresh
