"""The relation of an article to a reference: spun, copy, edited or independent."""

from __future__ import annotations

import pytest

from unspun import Article, Detector

SOURCE = (
    "The harbour council of Dunmore voted on Monday to close the old swing bridge to lorries from April. "
    "Engineers had found cracks in two of its eight bearings during an inspection in the autumn. "
    "“We cannot wait until something falls into the water,” said the harbour master, Ines Okafor, after the vote. "
    "Hauliers will have to use the northern crossing, which adds eleven miles to the way to the fish market. "
    "The council expects the repair to cost four million and to take until the end of next year. "
    "Traders asked for a ferry, but the council said that it had no money for one."
)
EDITED = (
    SOURCE.replace("harbour", "harbor").replace("eight bearings", "8 bearings").replace("We cannot", "We can't")
    .replace(" during an inspection in the autumn", "").replace("on Monday ", "").replace("Ines Okafor, ", "")
)  # fmt: skip
SPUN = (
    SOURCE.replace("voted", "balloted").replace("close", "shut").replace("old swing", "aged swing")
    .replace("cracks", "fissures").replace("found", "discovered").replace("falls", "drops")
    .replace("the vote", "the ballot").replace("use the", "utilize the").replace("expects", "anticipates")
    .replace("repair", "restoration").replace("Traders asked", "Merchants inquired").replace("money", "cash")
)  # fmt: skip
OTHER = (
    "Lorries will be banned from the swing bridge in Dunmore in spring after cracks were discovered in its bearings. "
    "The harbour council decided so by seven votes to four. Fish traders fear for their business, because the "
    "detour by the northern crossing takes half an hour. Ines Okafor, who runs the harbour, defended the decision "
    "before the meeting and promised that the works would be finished within twenty months at the latest."
)


@pytest.mark.parametrize(
    ("article", "relation"),
    [
        (SOURCE + "\n\nCopyright Dunmore Post", "copy"),
        (SOURCE.upper(), "copy"),
        (EDITED, "edited"),
        (SOURCE[: SOURCE.index("Hauliers")], "edited"),
        (SPUN, "spun"),
        (OTHER, "independent"),
    ],
    ids=["copy", "shouted", "edited", "shortened", "spun", "other report"],
)
def test_relation(article: str, relation: str) -> None:
    verdict = Detector.load().score(article, [Article("source", SOURCE)])
    (found,) = verdict.references
    assert (found.id, found.relation) == ("source", relation)
    assert (verdict.label == "clean") == (relation != "spun")


SECOND = (
    "Velling's museum of clocks will stay open after a retired watchmaker left it his house and his savings. "
    "Torben Aske, who died in March at the age of ninety, had repaired its tower clock every winter since 1961. "
    "The trustees said that they would use the gift to mend the roof and to pay a curator for ten years."
)
SECOND_SPUN = (
    SECOND.replace("stay open", "remain unlocked").replace("retired", "resigned").replace("gift", "present")
    .replace("repaired", "mended").replace("winter", "wintertime").replace("trustees", "custodians")
    .replace("house", "home").replace("savings", "investment funds").replace("mend the roof", "fix the rooftop")
)  # fmt: skip


def relations_of(article: str, *references: str) -> tuple[str, dict[str, str]]:
    verdict = Detector.load().score(article, list(references))
    return verdict.label, {r.id: r.relation for r in verdict.references}


def test_sources_stitched_together_are_all_named() -> None:
    label, relations = relations_of(f"{SPUN}\n\n{SECOND_SPUN}", SOURCE, SECOND)
    assert label == "spun"
    assert relations["reference-1"] == "spun"
    spans = Detector.load().score(f"{SPUN}\n\n{SECOND_SPUN}", [SOURCE, SECOND]).spans
    assert {s.reference.id for s in spans if s.reference} == {"reference-1", "reference-2"}


def test_sentences_moved_merged_and_split_do_not_hide_a_spun_text() -> None:
    sentences = SPUN.split(". ")
    moved = ". ".join([*sentences[3:5], *sentences[:3], *sentences[5:]])
    merged = SPUN.replace(". Engineers", ", and engineers").replace(", which adds", ". It adds")
    for article in (moved, merged):
        label, relations = relations_of(article, SOURCE)
        assert (label, relations) == ("spun", {"reference-1": "spun"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A typo, a short form, a title dropped or added, another transliteration: nobody swapped a synonym.
        ("Okafor", "Okofar"),
        ("the harbour master, Ines Okafor,", "Okafor"),
        ("Ines Okafor", "Captain Ines Okafor"),
        ("harbour council of Dunmore", "HCD"),
        ("Dunmore", "Donmore"),
        ("Monday", "Tuesday"),
        ("four million", "4m"),
        ("“We cannot wait until something falls into the water,”", "“We cannot wait …,”"),
        ("“We cannot wait", "“We [the council] cannot wait"),
        ("“We cannot wait until something falls into the water,” said", "“We can’t wait,” said"),
    ],
)
def test_honest_differences_are_no_swaps(old: str, new: str) -> None:
    assert old in SOURCE
    verdict = Detector.load().score(SOURCE.replace(old, new), [SOURCE])
    assert (verdict.label, verdict.spans) == ("clean", ())
