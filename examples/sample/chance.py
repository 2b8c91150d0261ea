"""Keyed chance: a draw depends on its name (seed, park, indicator, period …) and on nothing else.

Belongs here: turning names into reproducible numbers. So a file has the same bytes whichever range,
order or number of processes made it. Does not belong here: what the draws are used for.
Philox's raw stream is fixed by its algorithm; numpy's ready-made distributions may change between
releases and are therefore not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chance:
    """All draws of one seed. Every method takes the name of the draw as its trailing words."""

    seed: str

    def _raw(self, count: int, words: tuple[object, ...]) -> NDArray[np.uint64]:
        name = "|".join(str(word) for word in (self.seed, *words))
        digest = hashlib.blake2b(name.encode("utf-8"), digest_size=16).digest()
        return np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(count)

    def uniforms(self, count: int, *words: object) -> Floats:
        """``count`` numbers in [0, 1)."""
        numbers: Floats = (self._raw(count, words) >> np.uint64(11)).astype(np.float64)
        numbers *= 2.0**-53
        return numbers

    def normals(self, count: int, *words: object) -> Floats:
        """``count`` nearly standard normal numbers (sum of 12 uniforms, exact in integers)."""
        raw = (self._raw(count * 12, words) >> np.uint64(24)).reshape(count, 12)
        sums: Floats = raw.sum(axis=1, dtype=np.uint64).astype(np.float64)
        sums *= 2.0**-40
        sums -= 6.0
        return sums

    def uniform(self, *words: object) -> float:
        """One number in [0, 1)."""
        return float(self.uniforms(1, *words)[0])

    def between(self, low: float, high: float, *words: object) -> float:
        """One number in [low, high)."""
        return low + (high - low) * self.uniform(*words)

    def whole(self, low: int, high: int, *words: object) -> int:
        """One whole number in [low, high]."""
        return low + int(self.uniform(*words) * (high - low + 1))

    def pick(self, items: Sequence[T], *words: object) -> T:
        """One of ``items``."""
        return items[self.whole(0, len(items) - 1, *words)]
