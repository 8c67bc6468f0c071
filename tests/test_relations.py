"""The relation of an article to a reference: spun, copy, edited or independent."""

from __future__ import annotations

import numpy as np
import pytest

from unspun import Article, Detector
from unspun.article import Relation
from unspun.evidence import gather_evidence
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.relations import reconsider_swaps
from unspun.text import Text

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
#: A word in twenty swapped.
LIGHTLY_SPUN = (
    SOURCE.replace("voted", "balloted").replace("close", "shut").replace("cracks", "fissures")
    .replace("expects", "anticipates").replace("repair", "restoration").replace("money", "cash")
)  # fmt: skip
AROUND = (
    f"Swing bridge to close to lorries\nBy Tove Lindgren\n\nDUNMORE – {SOURCE}\n\n© Dunmore Post\nMore on this: Bridges"
)
#: Another event: the same bridge, council and harbour master, and one sentence of background word for word.
RELATED = (
    "A sailing boat hit the old swing bridge in Dunmore on Sunday afternoon and lost its mast. Nobody was hurt. The "
    "keeper had begun to turn the bridge when a gust pushed the boat off its course, the harbour master, Ines "
    "Okafor, said. Engineers had found cracks in two of its eight bearings during an inspection in the autumn. "
    "Okafor ruled out that these had anything to do with the accident. The owner of the boat, a dentist from "
    "Velling, praised the crew of the lifeboat, who towed him to the marina, and invited them to dinner."
)


@pytest.mark.parametrize(
    ("article", "relation"),
    [
        (SOURCE + "\n\nCopyright Dunmore Post", "copy"),
        (SOURCE.upper(), "copy"),
        (AROUND, "copy"),
        (SOURCE.translate(str.maketrans("“”", '""')), "copy"),
        (SOURCE.replace(". Hauliers", ".\nRead more: Ferry asked for\nHauliers"), "copy"),
        (EDITED, "edited"),
        (SOURCE.replace("eleven miles", "twelve miles"), "edited"),
        (SOURCE.replace("on Monday ", ""), "edited"),
        (SOURCE.replace("a ferry", "a small ferry"), "edited"),
        (SOURCE.replace("harbour", "harbor"), "edited"),
        (SOURCE + " The council meets again in May, when the first figures will be known." * 8, "edited"),
        (SOURCE[: SOURCE.index("Hauliers")], "edited"),
        (SPUN, "spun"),
        (LIGHTLY_SPUN, "spun"),
        (OTHER, "independent"),
        (RELATED, "independent"),
    ],
    ids=[
        "copy",
        "shouted",
        "furniture around",
        "other quotation marks",
        "line between",
        "edited",
        "corrected",
        "word cut",
        "word added",
        "house style",
        "more text",
        "shortened",
        "spun",
        "lightly spun",
        "other report",
        "related only",
    ],
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


#: An interview: most of it is what the harbour master said, which other reports quote too.
STATEMENT = (
    "“We cannot wait until something falls into the water. Two of the bearings are cracked, the others are older "
    "than I am, and no insurer in the country will cover another winter of heavy traffic on it”"
)
QUOTING = (
    f"Dunmore’s bridge is closed to lorries from April, and the harbour master makes no excuses. {STATEMENT}, Ines "
    "Okafor told this newspaper in her office, where buckets stood under a leaking ceiling. Does she understand the "
    "anger of the fish traders, who face a detour of eleven miles? She does, she said, and nods towards the quay."
)
QUOTING_TOO = (
    "Repairs to the crossing at Dunmore could last almost two years. Seven of eleven members backed the plan. "
    f"{STATEMENT}, was how Ines Okafor put it after a debate that ran into the night. Four million will be spent; "
    "hauliers who hoped for a ferry in the meantime went home with nothing but the promise of a meeting in May."
)


def test_a_long_quotation_in_common_does_not_make_reports_copies() -> None:
    assert relations_of(QUOTING, QUOTING_TOO) == ("clean", {"reference-1": "independent"})


def relations_of(article: str, *references: str) -> tuple[str, dict[str, str]]:
    verdict = Detector.load().score(article, list(references))
    return verdict.label, {r.id: r.relation for r in verdict.references}


def test_sources_stitched_together_are_all_named() -> None:
    label, relations = relations_of(f"{SPUN}\n\n{SECOND_SPUN}", SOURCE, SECOND)
    assert (label, relations) == ("spun", {"reference-1": "spun", "reference-2": "spun"})
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


def test_an_article_is_no_copy_of_a_paragraph_that_it_quotes_whole() -> None:
    opening = SOURCE[: SOURCE.index("Engineers")]
    _, relations = relations_of(SOURCE[: SOURCE.index("Hauliers")], opening)
    assert relations == {"reference-1": "edited"}


def test_an_original_is_not_spun_from_its_own_spun_copy() -> None:
    for copy in (SPUN, LIGHTLY_SPUN):
        assert relations_of(SOURCE, copy) == ("clean", {"reference-1": "edited"})


def test_a_difference_from_the_source_is_likelier_a_swap_than_one_from_a_report() -> None:
    lexicon = Lexicon.load()
    references = References.build([Article("source", SOURCE), Article("report", EDITED)], lexicon)
    evidence = gather_evidence(Text(SPUN), lexicon, {"a_an": 0.5, "doubled": 0.5, "phrase": 0.5}, references)
    doubtful = np.full(len(evidence.substitutions.pairs), 0.2)
    names = [evidence.comparisons[owner].reference.article.id for owner in evidence.substitutions.owner]
    assert set(names) == {"source", "report"}
    relations = [Relation("source", "spun", 0.9), Relation("report", "edited", 0.5)]
    again = dict(zip(names, reconsider_swaps(evidence, doubtful, relations).tolist(), strict=True))
    assert again["source"] > 0.5
    assert again["report"] == pytest.approx(0.2)
    assert (reconsider_swaps(evidence, doubtful, relations[1:]) == doubtful).all()


def test_a_spun_half_beside_new_text_is_spun_from_its_source() -> None:
    half = SPUN[: SPUN.index("The council anticipates")]
    label, relations = relations_of(f"{half}\n\n{SECOND}", SOURCE, RELATED)
    assert label == "spun"
    assert relations["reference-1"] == "spun"
    assert relations.get("reference-2", "independent") == "independent"


def test_a_spun_article_is_not_spun_from_what_is_only_related() -> None:
    _, relations = relations_of(SPUN, RELATED, SECOND)
    assert set(relations.values()) <= {"independent"}


def test_the_source_is_named_before_a_report_and_what_was_copied_from_another() -> None:
    article = f"{SPUN}\n\n{SECOND}"
    verdict = Detector.load().score(
        article, [Article("report", OTHER), Article("second", SECOND), Article("source", SOURCE)]
    )
    assert verdict.label == "spun"
    assert [(r.id, r.relation) for r in verdict.references] == [
        ("source", "spun"), ("second", "edited"), ("report", "independent"),
    ]  # fmt: skip
