"""What somebody said and what things are called: honest differences pass, words taken apart are shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from unspun import Article, Detector, Verdict

QUOTED = (
    "We have waited eleven years, and the people of this island deserve clear rules, honest answers and a safe ferry"
)
BASE = f"""The old ferry to Brannock Island will be replaced next year, the Regional Office for Sea Transport said on \
Thursday, after inspectors found rust in both of its engine rooms.

“{QUOTED},” said Marit Zelensky, who leads the Association of Island Traders. “The last winter showed us that the old \
ship is not able to cross the sound in heavy weather.”

The new vessel will carry sixty cars and cost 38 million crowns. It will be built in Port Hallam by the yard that made \
the old one. Deputy Governor Bill Quarrie signed the contract under the Coastal Links Act, which parliament passed in \
March, on Monday in the White House, as the pilots call their station.

Some islanders fear that the fares will rise. Quarrie promised that a return ticket for residents would stay at nine \
crowns until the end of the decade, and that children would travel without charge at weekends."""
OTHER = f"""PORT HALLAM - Nine crowns for a return ticket, sixty cars on deck, thirty-eight million in costs: figures \
of the ship that is to serve Brannock Island were made public yesterday by the Regional Office for Sea Transport.

Rust had been discovered below deck in the spring, and since then crossings were cancelled whenever the wind got up.

“{QUOTED},” Marit Zelensky of the Association of Island Traders told a crowd on the quay. She added: “The last winter \
showed us that the old ship is not able to cross the sound in heavy weather.”

Bill Quarrie, the deputy governor, put his name to the papers inside the White House, as pilots call their station. \
Money comes from a fund that the Coastal Links Act created. Families welcomed the news that boys and girls will pay \
nothing on Saturdays and Sundays."""
SWAPS = {
    "replaced next year": "substituted following year", "carry sixty cars": "convey sixty automobiles",
    "fear that the fares": "dread that the prices", "promised": "pledged",
    "children would travel": "kids would journey",
}  # fmt: skip


@cache
def detector() -> Detector:
    return Detector.load()


def score(article: str, *references: str) -> Verdict:
    return detector().score(article, [Article(f"report-{n}", text) for n, text in enumerate(references)])


def alter(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def show(verdict: Verdict, kind: str) -> dict[str, str | None]:
    """The spans of a kind with their suggestions."""
    return {span.text: span.suggestion for span in verdict.spans if span.kind == kind}


def check_passages(verdict: Verdict, *references: str) -> None:
    """Every name and quote span names a reference, and what it suggests stands there."""
    for span in verdict.spans:
        if span.kind in ("name", "quote"):
            assert span.reference is not None
            text = references[int(span.reference.id.removeprefix("report-"))]
            assert text[span.reference.start : span.reference.end] == span.reference.text == span.suggestion


#: Each reference set quotes the statement: the source and another report, or the other report alone.
REFERENCES = pytest.mark.parametrize("references", [(BASE, OTHER), (OTHER,)], ids=["source", "other report"])

HONEST_QUOTES = {
    "trimmed": {f"{QUOTED},”": "We have waited eleven years, and the people of this island deserve clear rules,”"},
    "trimmed in front": {QUOTED: "the people of this island deserve clear rules, honest answers and a safe ferry"},
    "ellipsis": {QUOTED: "We have waited eleven years … the people deserve clear rules, … and a safe ferry"},
    "explained": {"of this island deserve": "of this island [Brannock] deserve"},
    "contracted": {"We have waited": "We've waited"},
    "not contracted": {"is not able": "isn't able"},
    "split": {
        f"“{QUOTED},” said Marit Zelensky, who leads the Association of Island Traders. “The": (
            "“We have waited eleven years,” said Marit Zelensky, who leads the Association of Island Traders, "
            f"“{QUOTED.removeprefix('We have waited eleven years, ')}. The"
        )
    },
    "reported": {f"“{QUOTED},” said": f"{QUOTED}, said"},
}
TRANSLATED = {
    QUOTED: "For more than a decade nobody listened. Those who live here want to know what applies, and to get across "
    "unharmed"
}


@REFERENCES
@pytest.mark.parametrize("name", [*HONEST_QUOTES, "translated"])
def test_an_honest_quotation_is_clean(name: str, references: tuple[str, ...]) -> None:
    verdict = score(alter(BASE, HONEST_QUOTES.get(name, TRANSLATED)), *references)
    assert (verdict.label, verdict.spans) == ("clean", ())


@pytest.mark.parametrize("name", HONEST_QUOTES)
def test_an_honest_quotation_in_a_spun_article_is_not_marked(name: str) -> None:
    article = alter(BASE, HONEST_QUOTES[name] | SWAPS)
    verdict = score(article, BASE, OTHER)
    assert verdict.label == "spun"
    quoted = range(article.index("rooms."), article.index("The new vessel"))
    assert [span.text for span in verdict.spans if span.start in quoted] == []


@REFERENCES
@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        (
            {"deserve clear rules": "merit clear laws", "safe ferry": "secure ferry"},
            {"merit": "deserve", "laws": "rules", "secure": "safe"},
        ),
        (
            {"people of this island": "folks of this isle", "honest answers": "truthful replies"},
            {"folks": "people", "isle": "island", "truthful replies": "honest answers"},
        ),
        (
            {"old ship is not able to cross the sound": "aged vessel is not capable to traverse the strait"},
            {"aged vessel": "old ship", "capable": "able", "traverse": "cross", "strait": "sound"},
        ),
    ],
)
def test_words_swapped_in_a_quotation_are_shown_with_what_was_said(
    changes: dict[str, str], marked: dict[str, str], references: tuple[str, ...]
) -> None:
    verdict = score(alter(BASE, changes), *references)
    assert (verdict.label, verdict.reason) == ("spun", "quote_altered")
    assert show(verdict, "quote") == marked
    check_passages(verdict, *references)


#: Names as an article takes them apart, and the span that shows it.
TAKEN_APART = {
    "Regional Office for Sea Transport": "Provincial Bureau for Ocean Conveyance",
    "Association of Island Traders": "Affiliation of Isle Merchants",
    "Coastal Links Act": "Littoral Connections Statute",
    "White House": "White Home",
    "Bill Quarrie": "Invoice Quarrie",
    "Port Hallam": "Harbor Hallam",
}
TIGHT = {
    "Provincial Bureau for Ocean Conveyance": "Regional Office for Sea Transport",
    "Affiliation of Isle Merchants": "Association of Island Traders",
    "Littoral Connections Statute": "Coastal Links Act",
    "Home": "House",
    "Invoice": "Bill",
    "Harbor": "Port",
}


def test_names_taken_apart_alone_make_an_article_spun() -> None:
    verdict = score(alter(BASE, TAKEN_APART), BASE, OTHER)
    assert (verdict.label, verdict.reason) == ("spun", "name_altered")
    assert show(verdict, "name") == TIGHT
    check_passages(verdict, BASE, OTHER)


@pytest.mark.parametrize(("name", "tight"), list(zip(TAKEN_APART, TIGHT, strict=True)))
def test_a_name_taken_apart_in_a_spun_article_is_shown_whole(name: str, tight: str) -> None:
    verdict = score(alter(BASE, {name: TAKEN_APART[name]} | SWAPS), BASE, OTHER)
    assert show(verdict, "name") == {tight: TIGHT[tight]}
    check_passages(verdict, BASE, OTHER)


#: A short form, a title dropped or changed: the spans of the article around it must not grow over the name either.
SHORTENED = {
    "short form": {"the Regional Office for Sea Transport": "the Office"},
    "rank dropped": {"Deputy Governor Bill Quarrie": "Bill Quarrie"},
    "surname only": {"Deputy Governor Bill Quarrie": "Quarrie"},
    "other title": {"Deputy Governor Bill Quarrie": "Mr Quarrie"},
    "part of a place": {"Port Hallam": "Hallam"},
}
HONEST_NAMES = {
    **SHORTENED,
    "acronym": {"the Regional Office for Sea Transport": "ROST"},
    "acronym of three": {"Association of Island Traders": "AIT"},
    "described": {"the Association of Island Traders": "the traders' association"},
    "transliterated": {"Zelensky": "Zelenskyy"},
    "transliterated otherwise": {"Zelensky": "Zelenskiy"},
    "letter wrong": {"Zelensky": "Zelinsky"},
    "letter dropped": {"Quarrie": "Quarie"},
    "letters dropped in two": {"Hallam": "Halam", "Brannock": "Brannok"},
    "first name in full": {"Bill Quarrie": "William Quarrie"},
}


@REFERENCES
@pytest.mark.parametrize("name", HONEST_NAMES)
def test_an_honest_name_is_clean(name: str, references: tuple[str, ...]) -> None:
    verdict = score(alter(BASE, HONEST_NAMES[name]), *references)
    assert (verdict.label, verdict.spans) == ("clean", ())


@pytest.mark.parametrize("name", SHORTENED)
def test_a_short_form_in_a_spun_article_is_not_marked(name: str) -> None:
    verdict = score(alter(BASE, SHORTENED[name] | SWAPS), BASE, OTHER)
    assert verdict.label == "spun"
    assert show(verdict, "name") == {}
