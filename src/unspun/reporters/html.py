"""One article's verdict as a self-contained HTML page: the article beside a reference, every swap explained, and
decisions to record. Nothing is loaded from outside."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from unspun.article import KINDS, REASONS, SURE, Article, Decision, Passage, Relation, Span, Verdict
from unspun.decisions import FORMAT, VERSION, digest_text
from unspun.examined import Examined
from unspun.lexicon import Lexicon
from unspun.references import Reference, References
from unspun.reporters.correspondence import Correspondence, compare_sentences
from unspun.reporters.counter_evidence import Spelled, Verbatim, find_boilerplate, find_verbatim_quotations, spell_words
from unspun.reporters.explanation import BANNER, HEADLINES, KIND_WORDS, RELATION_WORDS, say_score, say_why, summarise
from unspun.reporters.markup import Mark, lay_out, render_page, show_line
from unspun.restoration import Restored, restore
from unspun.text import Text

#: Characters of a reference shown before and after a passage, where its sentence is longer than that.
_CONTEXT: Final = 200
#: References whose text is on the page: the closest, and all that a span names. The others are in the table.
_SHOWN: Final = 5
#: Quotations and sentences listed as speaking against; the page says how many more there are.
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class _Quote:
    """The passage of a reference with what its sentence says before and after."""

    name: str
    before: str
    passage: str
    after: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A span as the page shows it."""

    number: int
    span: Span
    why: str
    quote: _Quote | None


@dataclass(frozen=True, slots=True)
class _Shown:
    """A reference as the page shows it: ``pairs`` are the numbers of its sentences opposite the article's."""

    name: str
    relation: str
    source: str
    text: Markup
    pairs: str
    same: str


@dataclass(frozen=True, slots=True)
class _Against:
    """Wording of the article that stands in references word for word, and their names."""

    text: str
    names: str


def render_report(
    article: Article, references: Sequence[Article], verdict: Verdict, lexicon: Lexicon, overview: str | None = None
) -> str:
    """The page of ``verdict``: a pure function, no model is needed.

    ``references`` are those that the verdict names, as far as they are at hand; ``overview`` is the file to link back
    to. Raises ValueError where a span does not fit the article's text.
    """
    # Checks the spans, so that nothing below has to.
    restored = restore(article, verdict, lexicon, references)
    text = Examined(Text(article.text), lexicon)
    built = References.build(references, lexicon)
    compared = [
        (relation, reference, compare_sentences(text, reference, built, verdict.spans))
        for relation in verdict.references
        if (reference := built.find(relation.id)) and len(text)
    ]
    names = _name_references(references)
    texts = {reference.article.id: reference.examined.text for _, reference, _ in compared}
    spelled = spell_words(texts.items())
    rows = [_make_row(number, span, names, texts, spelled) for number, span in enumerate(verdict.spans, 1)]
    cited = {span.reference.id for span in verdict.spans if span.reference}
    shown = [
        _show_reference(relation, reference, found, names, rows)
        for rank, (relation, reference, found) in enumerate(compared)
        if rank < _SHOWN or relation.id in cited
    ]
    sentences = text.text.sentence_slices
    quotations = find_verbatim_quotations(text.text, spelled)
    boilerplate = find_boilerplate(text.text, spelled)
    followed = [(names[r.id], found) for r, _, found in compared if r.relation != "independent"]
    return render_page(
        "article.html.j2",
        "article.css",
        "article.js",
        title=article.title or article.id,
        overview=overview,
        article=article,
        verdict=verdict,
        banner=BANNER,
        headline=HEADLINES[verdict.label],
        statement=None if verdict.score is None else say_score(verdict.score),
        reason=REASONS[verdict.reason] if verdict.reason else None,
        summary=summarise(article, verdict, followed),
        marked=lay_out(article.text, sentences, [_mark_span(row) for row in rows]),
        restored=_lay_out_restored(restored),
        restored_count=len(restored.replacements),
        # Where the original is at hand, nobody needs to search for it.
        search_phrases=() if verdict.label == "clean" or followed else restored.search_phrases,
        rows=rows,
        kinds=[(kind, n) for kind in KINDS if (n := sum(span.kind == kind for span in verdict.spans))],
        kind_words=KIND_WORDS,
        unsure=sum(span.score < SURE for span in verdict.spans),
        sure=SURE,
        shown=shown,
        names=names,
        relation_words=RELATION_WORDS,
        quotations=_list_against(article, quotations, names),
        quotations_left=max(0, len(quotations) - _LISTED),
        boilerplate=_list_against(article, boilerplate, names),
        boilerplate_left=max(0, len(boilerplate) - _LISTED),
        data=_gather_data(article, verdict),
    )


def _name_references(references: Sequence[Article]) -> dict[str, str]:
    """What each reference is called on the page, by its id: its title, with the id where another has the same."""
    titles = Counter(reference.title for reference in references)
    names = {}
    for reference in references:
        title, id = reference.title, reference.id
        names[id] = show_line(id if not title else title if titles[title] == 1 else f"{title} ({id})")
    return names


def _make_row(number: int, span: Span, names: Mapping[str, str], texts: Mapping[str, Text], spelled: Spelled) -> _Row:
    if span.reference is None:
        return _Row(number, span, say_why(span, show_line), None)
    found = texts.get(span.reference.id)
    quote, agreeing = None, list[str]()
    if found is not None and found.raw[span.reference.start : span.reference.end] == span.reference.text:
        quote = _quote(span.reference, found, names[span.reference.id])
        agreeing = _find_agreeing(span.reference, found, spelled)
    return _Row(number, span, say_why(span, lambda id: names.get(id, show_line(id)), agreeing), quote)


def _quote(passage: Passage, text: Text, name: str) -> _Quote:
    first, last = text.enclose(passage.start, passage.end)
    before, after = text.raw[first : passage.start], text.raw[passage.end : last]
    if len(before) > _CONTEXT:
        before = "…" + before[-_CONTEXT:]
    if len(after) > _CONTEXT:
        after = after[:_CONTEXT] + "…"
    return _Quote(name, before, passage.text, after)


def _find_agreeing(passage: Passage, text: Text, spelled: Spelled) -> list[str]:
    """The ids of the other references that have the passage's words between the same two words."""
    first = bisect_right(text.words, passage.start, key=lambda word: word.end)
    last = first
    while last < len(text.words) and text.words[last].start < passage.end:
        last += 1
    if first == last:
        return []
    around = text.norms[max(0, first - 1) : last + 1]
    return [id for id, wording in spelled if id != passage.id and wording.holds(around)]


def _mark_span(row: _Row) -> Mark:
    span, number = row.span, row.number
    classes = [span.kind]
    classes += ["unsure"] if span.score < SURE else []
    classes += [span.decision.decision] if span.decision else []
    opening = Markup(
        f'<a href="#r{number}" id="s{number}" data-n="{number}" aria-describedby="w{number}">'
        f'<mark class="{" ".join(classes)}">'
    )
    return Mark(span.start, span.end, opening, Markup("</mark></a>"))


def _show_reference(
    relation: Relation, reference: Reference, found: Correspondence, names: Mapping[str, str], rows: Sequence[_Row]
) -> _Shown:
    passages = dict[tuple[int, int], list[int]]()
    for row in rows:
        passage = row.span.reference
        if passage and passage.id == relation.id and row.quote:
            passages.setdefault((passage.start, passage.end), []).append(row.number)
    marks, reached = list[Mark](), 0
    for (start, end), numbers in sorted(passages.items()):
        # Of two spans that point to overlapping passages the second is marked with what the first leaves.
        start = max(start, reached)
        if start < end:
            shown, spelled = ", ".join(map(str, numbers)), " ".join(map(str, numbers))
            opening = Markup(f'<mark class="stood" data-n="{shown}" data-of="{spelled}">')
            marks.append(Mark(start, end, opening, Markup("</mark>")))
            reached = end
    return _Shown(
        names[relation.id],
        relation.relation,
        reference.article.source or reference.article.id,
        lay_out(reference.article.text, reference.examined.text.sentence_slices, marks),
        " ".join(map(str, found.partners)),
        " ".join(str(number) for number, same in enumerate(found.same) if same),
    )


def _lay_out_restored(restored: Restored) -> Markup:
    marks = [
        Mark(
            replacement.restored_start,
            replacement.restored_end,
            Markup(f'<ins class="{"sure" if replacement.sure else "guessed"}">'),
            Markup("</ins>"),
        )
        for replacement in restored.replacements
    ]
    return lay_out(restored.text, Text(restored.text).sentence_slices, marks)


def _list_against(article: Article, found: Sequence[Verbatim], names: Mapping[str, str]) -> list[_Against]:
    return [
        _Against(article.text[item.start : item.end], ", ".join(names[id] for id in item.ids))
        for item in found[:_LISTED]
    ]


def _gather_data(article: Article, verdict: Verdict) -> dict[str, Any]:
    """What the page's script needs to write a decisions file, see :mod:`unspun.decisions`."""

    def spell(decision: Decision | None) -> dict[str, Any] | None:
        return decision.to_dict() if decision else None

    return {
        "format": FORMAT,
        "version": VERSION,
        "article": article.id,
        "source": article.source,
        "digest": digest_text(article.text),
        "spans": [
            {
                "start": s.start,
                "end": s.end,
                "text": s.text,
                "kind": s.kind,
                "score": s.score,
                "suggestion": s.suggestion,
            }
            for s in verdict.spans
        ],
        "decisions": {
            "0": spell(verdict.decision),
            **{str(number): spell(span.decision) for number, span in enumerate(verdict.spans, 1)},
        },
    }
