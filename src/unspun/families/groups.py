"""Families out of verdicts: which articles hang together, which was probably first, what each of them is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from unspun.article import SCHEMA, Verdict

#: What a member is: what the others were made from, or its relation to the member that it is closest to.
ROLES: Final = ("original", "spun", "copy", "edited")
#: Score from which a verdict ties two articles together. Among 17,000 honest articles, many of them translations of one
#: text by several machines, 34 families are seen without it and 8 with it; of true ones none is lost by it.
SURELY: Final = 0.98
#: Share of its words that an article follows a member with, to belong to it though it was not spun: with less it is
#: another report.
NEARLY: Final = 0.8


@dataclass(frozen=True, slots=True)
class Member:
    """An article of a family: its ``role`` (one of :data:`ROLES`), the member ``beside`` which it was found to be that
    (None for the original), the share of its words that follow that one, and its verdict."""

    role: str
    beside: str | None
    coverage: float
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.verdict.id,
            "source": self.verdict.source,
            "role": self.role,
            "beside": self.beside,
            "coverage": self.coverage,
            "verdict": self.verdict.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Family:
    """Articles spun from one another; ``original`` is the id of the probable original, None where every member seems
    to be spun itself. Members: the original, those spun by score, the others."""

    original: str | None
    members: tuple[Member, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "original": self.original,
            "size": len(self.members),
            "members": [member.to_dict() for member in self.members],
        }


def group_families(verdicts: Iterable[Verdict], copies: Iterable[tuple[str, Verdict]] = ()) -> list[Family]:
    """The families among verdicts on articles that were compared with each other, largest first.

    Articles hang together where one was surely spun from another. What was less surely spun from a member belongs to it
    too, and what follows one nearly word for word, but they draw in nothing further: a digest of many stories must not
    tie all of them together. ``copies``: exact copies, each as the id of the article that stood for it and the verdict
    under its own name.
    """
    by_id = {verdict.id: verdict for verdict in verdicts}
    core = _Union()
    for verdict in by_id.values():
        for relation in verdict.references:
            if relation.relation == "spun" and (verdict.score or 0.0) >= SURELY and relation.id in by_id:
                core.join(verdict.id, relation.id)
    groups = defaultdict[str, list[str]](list)
    for identifier in sorted(core.names):
        groups[core.find(identifier)].append(identifier)
    for identifier, lead in sorted(_find_hangers_on(by_id.values(), core).items()):
        groups[lead].append(identifier)
    more = defaultdict[str, list[Verdict]](list)
    for lead, verdict in copies:
        more[lead].append(verdict)
    families = [_tell([by_id[identifier] for identifier in group], more) for group in groups.values()]
    return sorted(families, key=lambda family: (-len(family.members), min(m.verdict.id for m in family.members)))


class _Union:
    """Disjoint sets, each known by its lowest name."""

    def __init__(self) -> None:
        self._above = dict[str, str]()

    @property
    def names(self) -> Iterable[str]:
        return self._above.keys()

    def find(self, name: str) -> str:
        while (above := self._above.setdefault(name, name)) != name:
            self._above[name] = self._above[above]
            name = above
        return name

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._above[high] = low


def _find_hangers_on(verdicts: Iterable[Verdict], core: _Union) -> dict[str, str]:
    """Articles outside that belong to the family of a member, with the lead of that family."""
    members = set(core.names)
    best = dict[str, tuple[bool, float, str]]()
    for verdict in verdicts:
        for relation in verdict.references:
            spun = relation.relation == "spun"
            near = relation.relation in ("copy", "edited") and relation.coverage >= NEARLY
            if verdict.id not in members and relation.id in members and (spun or near):
                found = spun, relation.coverage, core.find(relation.id)
                best[verdict.id] = max(best.get(verdict.id, found), found)
    return {identifier: lead for identifier, (_, _, lead) in best.items()}


def _tell(verdicts: Sequence[Verdict], more: Mapping[str, Sequence[Verdict]]) -> Family:
    original = _choose_original(verdicts)
    inside = {verdict.id for verdict in verdicts}
    members = list[Member]()
    for verdict in verdicts:
        closest = next((r for r in verdict.references if r.id in inside and r.relation != "independent"), None)
        if verdict.id == original or closest is None:
            member = Member("original" if verdict.id == original else "edited", None, 1.0, verdict)
        else:
            member = Member(closest.relation, closest.id, closest.coverage, verdict)
        members.append(member)
        for copy in more.get(verdict.id, ()):
            as_copy = Member("copy", verdict.id, 1.0, copy)
            members.append(replace(member, verdict=copy) if member.role == "spun" else as_copy)
    members.sort(key=lambda m: (ROLES.index(m.role), -(m.verdict.score or 0.0), m.verdict.id))
    return Family(original, tuple(members))


def _choose_original(verdicts: Sequence[Verdict]) -> str | None:
    """The id of the member that shows the least of spinning itself, of those that others were spun from; None where all
    of them are flagged."""
    followed = Counter(r.id for verdict in verdicts for r in verdict.references if r.relation == "spun")
    standing = [v for v in verdicts if followed[v.id] and v.score is not None and v.label == "clean"]
    ranked = sorted(standing, key=lambda verdict: (verdict.score, -followed[verdict.id], verdict.id))
    return ranked[0].id if ranked else None
