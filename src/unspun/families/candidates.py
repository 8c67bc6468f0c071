"""Which articles of a set are worth comparing: those that share keys which few others hold.

The way of passim (Smith, Cordell & Mullen 2015): postings, a band of document frequencies, pairs counted. All numbers
that decide are integers and every order is that of the hashes of the ids, so that Spark finds the same candidates
(:mod:`unspun.families.spark`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.index.build import IndexRefusedError
from unspun.index.keys import KEY_BITS, MOST_KEYS, Keys, gather_keys
from unspun.index.query import Index
from unspun.index.segment import cut_keys
from unspun.references import MAX_CANDIDATES

Numbers = NDArray[np.int64]
Narrow = NDArray[np.int32]

#: Keys of an article that are looked at, those with the lowest hashes (bottom-k sampling, Broder 1997): enough for
#: articles whose every other word was replaced to share 6 and more with their source.
SAMPLE: Final = 200
#: A key of more articles says nothing.
MOST_HOLDERS: Final = 1000
#: Each holder of a key is paired with so many that come next. All keys have their holders in the same order, so members
#: of a family of hundreds meet the same neighbours with every key; cost grows with the articles, never with their
#: square.
NEIGHBOURS: Final = 12
#: What a key says, by how many hold it: 8 log2(2000 / holders), so 88 for one, 8 for a thousand.
WEIGHTS: Final[tuple[int, ...]] = (
    0, *np.round(8 * np.log2(2 * MOST_HOLDERS / np.arange(1, MOST_HOLDERS + 1))).astype(int).tolist(),
)  # fmt: skip
#: Two articles are compared from this share of the lighter one's weight on, 1 in so many. Of 1,650 articles spun to 10
#: to 50 % among 19,000 all share a tenth with their source, and 99 % of them 0.12.
LEAST_SHARE: Final = 20

#: Pairs of 2 to the power of this articles are added up at once: 2,400 numbers of eight bytes an article at most,
#: four times. More at once where there would be more files than a process may open.
_CHUNK_BITS: Final = 13
_MOST_FILES: Final = 512
#: Bits that number an article among all of one machine.
_NUMBER_BITS: Final = 25
_WEIGHT_BITS: Final = 7


def is_sampled(hashes: Keys, sizes: NDArray[np.integer], reaches: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which keys are looked at: bool[postings]. For each posting the hash that its key was chosen by, how many keys its
    article has, and how far the hashes of these reach (see :func:`find_reach`)."""
    sampled: NDArray[np.bool_] = hashes.astype(np.float64) * sizes <= SAMPLE * reaches
    return sampled


def find_reach(size: int, highest: int) -> float:
    """How far the hashes of an article of ``size`` keys reach: to the highest where only the lowest were kept."""
    return float(highest if size >= MOST_KEYS else 1 << KEY_BITS)


class Candidates:
    """For each article of an index the others to compare it with.

    Attributes: ``represented`` int64[n], the article that stands for all its exact copies (itself where it has none),
    -1 where it was removed.
    """

    def __init__(self, represented: Numbers, starts: Numbers, others: Narrow) -> None:
        self.represented, self._starts, self._others = represented, starts, others

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        """Each article that has any, with its candidates, best first."""
        for number in np.flatnonzero(np.diff(self._starts)).tolist():
            yield number, self._others[self._starts[number] : self._starts[number + 1]].tolist()

    def __len__(self) -> int:
        return int(np.count_nonzero(np.diff(self._starts)))


def find_candidates(index: Index) -> Candidates:
    """What to compare each article of an index with. Memory stays bounded: pairs wait on the disk, 8 bytes each.

    Raises :class:`~unspun.index.build.IndexRefusedError` when there are more articles than one machine can number.
    """
    bases = np.cumsum([0, *(segment.count for segment in index.segments)])
    count = int(bases[-1])
    if count >> _NUMBER_BITS:
        most = 1 << _NUMBER_BITS
        raise IndexRefusedError(
            f"{index.path}: holds {count:,} articles; more than {most:,} need Spark: see the README"
        )
    nodes = _gather_nodes(index, bases)
    represented = _find_represented(index, bases, nodes)
    ranks = np.empty(count, np.int64)
    ranks[np.argsort(nodes)] = np.arange(count)
    sizes = np.concatenate([np.zeros(0, np.uint16), *(segment.sizes for segment in index.segments)])
    reaches = _find_reaches(index, bases, sizes)
    standing = represented == np.arange(count)
    totals = np.zeros(count, np.int64)
    weights = np.array(WEIGHTS)
    with TemporaryDirectory(prefix="unspun-") as folder, _Spill(Path(folder), count) as spill:
        for keys, holders in _read_slices(index, bases):
            kept = standing[holders]
            kept &= is_sampled(gather_keys(keys), sizes[holders], reaches[holders])
            keys, holders = keys[kept], holders[kept]
            first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, np.int64)
            held = np.diff(np.append(first, len(keys)))
            owned = np.repeat(held, held)
            banded = owned <= MOST_HOLDERS
            gained = weights[np.where(banded, owned, 0)]
            totals += np.bincount(holders, gained, minlength=count).astype(np.int64)
            paired = banded & (owned > 1)
            spill.add(keys[paired], holders[paired], gained[paired], ranks)
        a, b, scores = spill.add_up(totals)
    one, other, scores = np.append(a, b), np.append(b, a), np.append(scores, scores)
    order = np.lexsort((ranks[other], -scores, one))
    one, other = one[order], other[order]
    place = np.arange(len(one)) - np.searchsorted(one, one)
    one, other = one[place < MAX_CANDIDATES], other[place < MAX_CANDIDATES]
    return Candidates(represented, np.searchsorted(one, np.arange(count + 1)), other)


def _read_slices(index: Index, bases: Numbers) -> Iterator[tuple[Keys, Numbers]]:
    """All postings, sorted by key, in slices: keys and the numbers of their holders."""
    for low, high in cut_keys(sum(segment.postings for segment in index.segments)):
        parts = [segment.read_slice(low, high) for segment in index.segments]
        keys = np.concatenate([np.zeros(0, np.uint64), *(part[0] for part in parts)])
        holders = np.concatenate([
            np.zeros(0, np.int64), *(part[1] + base for part, base in zip(parts, bases.tolist(), strict=False))
        ])  # fmt: skip
        if len(parts) > 1:
            order = np.argsort(keys, kind="stable")
            keys, holders = keys[order], holders[order]
        for segment in index.segments:
            segment.release()
        yield keys, holders


def _gather_nodes(index: Index, bases: Numbers) -> Keys:
    """The hashes of the ids, by which all is ordered: uint64[n]."""
    nodes = np.zeros(int(bases[-1]), np.uint64)
    for segment, base in zip(index.segments, bases.tolist(), strict=False):
        hashes, documents = segment.named
        nodes[base + documents] = hashes
    return nodes


def _find_represented(index: Index, bases: Numbers, nodes: Keys) -> Numbers:
    """Of articles with the same words, the one whose id has the lowest hash stands for all."""
    copies = np.zeros(len(nodes), np.uint64)
    alive = np.ones(len(nodes), np.bool_)
    for segment, base in zip(index.segments, bases.tolist(), strict=False):
        hashes, documents = segment.copies
        copies[base + documents] = hashes
        if segment.removed is not None:
            alive[base : base + segment.count] = ~segment.removed
    present = np.flatnonzero(alive)
    order = present[np.lexsort((nodes[present], copies[present]))]
    leads = np.append(True, copies[order][1:] != copies[order][:-1]) if len(order) else np.zeros(0, np.bool_)
    represented = np.full(len(nodes), -1, np.int64)
    represented[order] = order[np.flatnonzero(leads)][np.cumsum(leads) - 1]
    return represented


def _find_reaches(index: Index, bases: Numbers, sizes: NDArray[np.uint16]) -> NDArray[np.float64]:
    highest = np.zeros(len(sizes), np.uint64)
    if (sizes >= MOST_KEYS).any():
        for keys, holders in _read_slices(index, bases):
            long = sizes[holders] >= MOST_KEYS
            np.maximum.at(highest, holders[long], gather_keys(keys[long]))
    return np.where(sizes >= MOST_KEYS, highest.astype(np.float64), float(1 << KEY_BITS))


class _Spill:
    """Pairs with what each key adds to them, on the disk until they are added up."""

    def __init__(self, folder: Path, count: int) -> None:
        self._files = ExitStack()
        self._chunk_bits = max(_CHUNK_BITS, (count // _MOST_FILES).bit_length())
        chunks = (count >> self._chunk_bits) + 1
        self._paths = [folder / f"pairs-{chunk}" for chunk in range(chunks)]
        self._open = [self._files.enter_context(path.open("wb")) for path in self._paths]

    def __enter__(self) -> _Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, keys: Keys, holders: Numbers, gained: Numbers, ranks: Numbers) -> None:
        order = np.lexsort((ranks[holders], keys))
        keys, holders, gained = keys[order], holders[order], gained[order]
        place_a, place_b = np.uint64(1 << (_NUMBER_BITS + _WEIGHT_BITS)), np.uint64(1 << _WEIGHT_BITS)
        parts = [np.zeros(0, np.uint64)]
        for step in range(1, NEIGHBOURS + 1):
            same = np.flatnonzero(keys[step:] == keys[:-step])
            a, b = holders[same].astype(np.uint64), holders[same + step].astype(np.uint64)
            parts.append(a * place_a + b * place_b + gained[same].astype(np.uint64))
        packed = np.sort(np.concatenate(parts))
        edges = np.arange(len(self._open) + 1, dtype=np.uint64) * (place_a << np.uint64(self._chunk_bits))
        cuts = np.searchsorted(packed, edges)
        for file, low, high in zip(self._open, cuts, cuts[1:], strict=False):
            file.write(packed[low:high].tobytes())

    def add_up(self, totals: Numbers) -> tuple[Narrow, Narrow, Narrow]:
        """The pairs that share enough: numbers of both, and what they share."""
        self._files.close()
        # Four bytes each: where articles share passages, hundreds of pairs an article come this far.
        found = [(np.zeros(0, np.int32),) * 3]
        for path in self._paths:
            packed = np.fromfile(path, np.uint64)
            path.unlink()
            if not len(packed):
                continue
            packed.sort()
            pairs = packed >> np.uint64(_WEIGHT_BITS)
            first = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1]))
            scores = np.add.reduceat((packed & np.uint64((1 << _WEIGHT_BITS) - 1)).astype(np.int64), first)
            a = (pairs[first] >> np.uint64(_NUMBER_BITS)).astype(np.int64)
            b = (pairs[first] & np.uint64((1 << _NUMBER_BITS) - 1)).astype(np.int64)
            enough = scores * LEAST_SHARE >= np.minimum(totals[a], totals[b])
            found.append((_narrow(a[enough]), _narrow(b[enough]), _narrow(scores[enough])))
        one, other, score = (np.concatenate(column) for column in zip(*found, strict=True))
        return one, other, score


def _narrow(numbers: Numbers) -> Narrow:
    return numbers.astype(np.int32)
