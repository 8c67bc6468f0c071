"""What a spinner swaps for what: dictionaries of real spinners and of thesauri, one shape for all.

The families ``wordnet``, ``moby``, ``neighbours`` and ``function`` work from the repository alone; ``blog``,
``spinbot`` and ``tortured`` read the shared folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from unspun.extractors.set_phrases import list_wordings
from unspun.text import Text
from unspun.training.corpora import read_excerpts, read_rows, read_table, split

if TYPE_CHECKING:
    from unspun.lexicon import Lexicon

#: Wordings with their weights (any positive scale).
Alternatives = tuple[tuple[str, float], ...]

#: Every family, in the order that reports use. Leave-one-family-out training takes one away.
FAMILIES: Final = ("blog", "spinbot", "tortured", "wordnet", "moby", "neighbours", "function")
#: Those that need nothing outside the repository.
REPOSITORY_FAMILIES: Final = ("wordnet", "moby", "neighbours", "function")

#: A phrase longer than this is never met again in other text.
_MAX_PHRASE: Final = 6
#: Vectors are compared among this many commonest words only: rarer ones have poor vectors and cost time.
_NEIGHBOUR_WORDS: Final = 12_000
_NEIGHBOURS: Final = 8
#: Below this cosine a neighbour shares no more than the topic.
_LEAST_NEARNESS: Final = 0.5


_FUNCTION_WORDS: Final = """
a an the and or but nor so yet if then than that this these those there here what which who whom whose when
where why how i me my mine we us our ours you your yours he him his she her hers it its they them their
theirs myself yourself himself herself itself ourselves themselves be am is are was were been being have has
had having do does did doing done will would shall should can could may might must of in on at by for with
from to into onto up down out off over under about as not no all any both each some such only own same too
very s t don isn aren wasn weren won wouldn couldn shouldn hasn haven hadn didn doesn ll ve re d m mr mrs ms
dr per via said says say
"""
_ARTICLES: Final = ("a", "an", "the")
#: Words kept by a thesaurus or by vectors: too many senses to be a swap. Spinners leave them, or swap them by
#: a list of their own (family "function").
FUNCTION_WORDS: Final = frozenset(_FUNCTION_WORDS.split())


class Dictionary:
    """Phrases (lower-case words as :class:`~unspun.text.Text` finds them) with their alternatives.

    ``family`` is what evaluation leaves out as one; ``span_kind`` is the kind of span that a swap
    of a phrase of several words makes: "phrase" for tortured fixed expressions, "synonym" otherwise.
    """

    def __init__(
        self,
        family: str,
        entries: Mapping[tuple[str, ...], Alternatives],
        span_kind: str = "synonym",
        look_up: Callable[[str], Alternatives] | None = None,
    ) -> None:
        """``look_up`` answers for single words that ``entries`` lacks; its answers are kept."""
        self.family = family
        self.span_kind = span_kind
        self.entries = dict(entries)
        self._look_up = look_up
        self._looked_up = dict[str, Alternatives]()
        self._longest = dict[str, int]()
        for phrase in self.entries:
            if len(phrase) > self._longest.get(phrase[0], 1):
                self._longest[phrase[0]] = len(phrase)

    def longest(self, first: str) -> int:
        """The number of words of the longest phrase that starts with ``first``; at least 1."""
        return self._longest.get(first, 1)

    def find(self, phrase: tuple[str, ...]) -> Alternatives:
        """The alternatives of ``phrase``; empty when it has none."""
        found = self.entries.get(phrase, ())
        if found or self._look_up is None or len(phrase) > 1:
            return found
        word = phrase[0]
        if word not in self._looked_up:
            self._looked_up[word] = self._look_up(word)
        return self._looked_up[word]

    def or_else(self, other: Dictionary) -> Dictionary:
        """The entries of this dictionary, and ``other`` for what they lack; of this one's family. What this one looks
        up is not asked."""
        return Dictionary(self.family, {**other.entries, **self.entries}, self.span_kind, other.find_word)

    def find_word(self, word: str) -> Alternatives:
        """The alternatives of a single word."""
        return self.find((word,))


def build_dictionary(family: str, pairs: Iterable[tuple[str, str, float]], span_kind: str = "synonym") -> Dictionary:
    """A dictionary from (original, replacement, weight) rows.

    Weights of equal rows add up; rows whose original is not a plain run of words, or that change nothing, are
    passed over.
    """
    weights = defaultdict[tuple[str, ...], Counter[str]](Counter)
    for original, replacement, weight in pairs:
        phrase = _phrase(original)
        replacement = " ".join(replacement.split()).strip("\"'“”‘’,;: ")
        if phrase and _phrase_words(replacement) not in ((), phrase):
            weights[phrase][replacement] += weight  # type: ignore[assignment]  # float counts
    entries = {phrase: tuple(counts.items()) for phrase, counts in weights.items()}
    return Dictionary(family, entries, span_kind)


def load_dictionary(family: str, lexicon: Lexicon, shared: Path | None = None) -> Dictionary:
    """The dictionary of a family of :data:`FAMILIES`.

    Raises ValueError for an unknown family, FileNotFoundError when the family needs the shared folder and
    ``shared`` is None or lacks the file.
    """
    if family in _FROM_LEXICON:
        return _FROM_LEXICON[family](lexicon)
    if family not in _FROM_SHARED:
        raise ValueError(f"unknown spinner family {family!r}: choose from {', '.join(FAMILIES)}")
    if shared is None:
        raise FileNotFoundError(f"spinner family {family!r} needs the shared folder: give it with --shared")
    return _FROM_SHARED[family](shared)


def load_dictionaries(lexicon: Lexicon, shared: Path | None = None) -> list[Dictionary]:
    """Every dictionary that can be had: all families, or those of the repository when ``shared`` is None."""
    families = FAMILIES if shared else REPOSITORY_FAMILIES
    return [load_dictionary(family, lexicon, shared) for family in families]


def load_blog(shared: Path) -> Dictionary:
    """The dictionary of an auto-blog spinner: no sense, no part of speech; repeated groups weigh more."""
    rows = read_rows(shared / "lexicons" / "blog_spinner.jsonl.gz")
    pairs = ((row["head"], alternative, 1.0) for row in rows for alternative in row["alternatives"])
    return build_dictionary("blog", pairs)


def load_spinbot(shared: Path) -> Dictionary:
    """SpinBot's wordings, without what was read off no other excerpts than those held out for validation."""
    swaps = list(_spinbot_words(shared))
    pairs = [swap for swap in swaps if swap[2] > 1]
    evidence = {"train": set[tuple[str, str]](), "validation": set[tuple[str, str]]()}
    for excerpt in read_excerpts(shared):
        evidence[split(excerpt.group)].update(excerpt.evidence)
    held_out = evidence["validation"] - evidence["train"]
    for row in read_table(shared / "real" / "spinbot_phrasebook.tsv"):
        spun, original = row["spun"], row["likely_original"]
        if row["kind"] != "name" and (spun, original) not in held_out:
            pairs.append((original, spun, 2.0))
            pairs.append((*_core(original, spun), 1.0))
    # What was read by aligning texts says odd things of function words, which this spinner leaves alone but
    # for the phrases listed.
    pairs = [pair for pair in pairs if pair[0].lower() not in FUNCTION_WORDS and _ends_alike(*pair[:2])]
    own = build_dictionary("spinbot", [*pairs, *_expand(SPINBOT_PHRASES)])
    # Swaps met once are half of them slips of an alignment: only for words that nothing better is known of.
    return own.or_else(build_dictionary("spinbot", swaps))


def load_tortured(shared: Path) -> Dictionary:
    """Tortured phrases of scientific papers, backed by the word swaps derived from them."""
    # Entries that occur in few papers are as true as the others; the root keeps the commonest from ruling.
    phrases = [
        (row["expected"], row["tortured"], float(row["papers"] or 1) ** 0.5)
        for row in read_rows(shared / "lexicons" / "tortured_phrases.jsonl.gz")
    ]
    pairs = [*phrases, *_spinbot_words(shared)]
    pairs = [pair for pair in pairs if pair[0].lower() not in FUNCTION_WORDS]
    return build_dictionary("tortured", pairs, "phrase")


def load_function() -> Dictionary:
    """Function words swapped by a wrong sense, padded auxiliaries, and what goes with them."""
    return build_dictionary("function", _expand(FUNCTION_SWAPS))


def load_thesaurus(lexicon: Lexicon, family: str, bit: int) -> Dictionary:
    """A thesaurus's synonyms of any sense, the lexicon's better ones a little likelier.

    ``bit`` is the source bit of the thesaurus's pairs.
    """

    def look_up(word: str) -> Alternatives:
        if word in FUNCTION_WORDS or len(word) < 3:
            return ()
        ids = lexicon.ids([word])
        found = lexicon.synonyms(int(ids[0]))
        listed = lexicon.synonym_bits(np.full_like(found, ids[0]), found) & bit > 0
        return tuple((lexicon.word(id), rank**-0.5) for rank, id in enumerate(found[listed].tolist(), 1))

    return Dictionary(family, {}, look_up=look_up)


def load_neighbours(lexicon: Lexicon) -> Dictionary:
    """No dictionary: the nearest word vectors of the same inflection, nearer ones likelier."""
    candidates = np.arange(min(lexicon.size, _NEIGHBOUR_WORDS), dtype=np.int32)
    classes = lexicon.inflections(candidates)
    plain = np.array([lexicon.word(id) not in FUNCTION_WORDS for id in candidates.tolist()])

    def look_up(word: str) -> Alternatives:
        [id] = lexicon.ids([word]).tolist()
        if word in FUNCTION_WORDS or len(word) < 3 or not 0 <= id < len(candidates):
            return ()
        own = np.full_like(candidates, id)
        nearness = lexicon.similarity(own, candidates)
        nearness[lexicon.is_inflection_of(own, candidates) | (classes != classes[id]) | ~plain] = 0
        # In an order of its own: that in which numpy partitions differs between its versions.
        best = np.argsort(-nearness, kind="stable")[:_NEIGHBOURS]
        return tuple(
            (lexicon.word(int(other)), float(nearness[other]) ** 4) for other in best[nearness[best] > _LEAST_NEARNESS]
        )

    return Dictionary("neighbours", {}, look_up=look_up)


def _phrase(words: str) -> tuple[str, ...]:
    """The words of ``words`` where only spaces and hyphens part them; empty otherwise, or when too long."""
    norms = _phrase_words(words)
    plain = words.strip().lower().replace("-", " ").replace("’", "'").split()
    return norms if list(norms) == plain and len(norms) <= _MAX_PHRASE else ()


def _phrase_words(words: str) -> tuple[str, ...]:
    return tuple(Text(words).norms)


def _core(original: str, spun: str) -> tuple[str, str]:
    """What is left of two wordings without the words that both start or end with."""
    before, after = original.split(), spun.split()
    while len(before) > 1 and len(after) > 1 and before[0].lower() == after[0].lower():
        before, after = before[1:], after[1:]
    while len(before) > 1 and len(after) > 1 and before[-1].lower() == after[-1].lower():
        before, after = before[:-1], after[:-1]
    return " ".join(before), " ".join(after)


def _ends_alike(original: str, spun: str) -> bool:
    """Whether both or neither end with an article: else a cut went through a phrase."""
    return (original.split()[-1] in _ARTICLES) == (spun.split()[-1] in _ARTICLES)


def _expand(table: str) -> Iterator[tuple[str, str, float]]:
    """Rows from a table of wordings."""
    return ((original, alternative, 1.0) for original, alternative in list_wordings(table))


def _spinbot_words(shared: Path) -> Iterator[tuple[str, str, float]]:
    """The word swaps derived from tortured phrases, less what an alignment of function words made up."""
    for row in read_rows(shared / "lexicons" / "spinbot_words.jsonl.gz"):
        original, spun = row["original"], row["spun"]
        if original not in FUNCTION_WORDS and spun not in FUNCTION_WORDS and min(len(original), len(spun)) > 2:
            yield original, spun, float(row["count"])


#: Near-fixed phrases of SpinBot-like spinners, as seen on really spun pages.
SPINBOT_PHRASES: Final = """
if = on the off chance that | in the event that | assuming
when = at the point when | whenever
because = on the grounds that | in light of the fact that | since
also = likewise | additionally
and also = and furthermore | as well as
however = nonetheless | notwithstanding | be that as it may | in any case
but = yet | however
although = albeit | in spite of the fact that
such as = like | for example
often = frequently | regularly
many = numerous
people = individuals
use = utilize | involve
tend to = will generally | will in general
refers to = alludes to
refer to = allude to
according to = as per | as indicated by
how to = instructions to | step by step instructions to | the most effective method to
one of the most = quite possibly of the most
based on = in light of | in view of
other = different
others = different ones
born = brought into the world
died = kicked the bucket | passed on
in order to = to | so as to
due to = because of
about = around | with respect to
only = just
usually = typically | generally
however the = nonetheless the
therefore = accordingly | subsequently
thus = hence | subsequently
until = up to this point
before = prior to
after = subsequent to | later
during = amid | during the course of
each = every
every = each
able to = ready to
want to = need to
need to = have to
kind of = sort of
half = half of the | a portion of
instead = rather | all things considered
instead of = rather than
still = yet | actually
over = more than | north of
less than = not exactly
more than = in excess of
at the end of = toward the finish of
the beginning of = the start of
by the end of = toward the finish of
in the early = in the mid
early = early on | right on time
an hour = 60 minutes
a year = every year
years old = years of age
century = hundred years
thousands of = a great many
hundreds of = many
millions of = a huge number of
at all = by any stretch of the imagination
and more = and that's just the beginning
in fact = truth be told
"""

#: Function words and the few content words that spinners always spoil: by a wrong sense ("be": "beryllium"), by padding
#: ("is": "is actually").
FUNCTION_SWAPS: Final = """
be = beryllium
in = successful | within
he = helium
as = arsenic | arsenic well arsenic
at = astatine
am = americium
can = tin | can easily
will = volition | will certainly | will definitely
would = would certainly
may = whitethorn | may possibly
might = mightiness | might possibly
must = indispensable | have to | need to
have = person | have actually
has = has actually
had = had actually
is = is actually
are = are actually
was = become | was actually
were = had been
been = been actually
on = connected | upon
off = disconnected
over = implicit | over top of
out = retired | away
through = done | via
by = past | through
for = successful favour of
with = pinch | along with
without = absent
into = right into
about = astir | approximately
after = aft | after that
before = earlier | prior to
behind = down | in the back of
between = betwixt
against = towards | versus
under = nether | below
until = till
while = portion | whilst
because = due to the fact | owed to
since = because
than = then
though = tho
more = much | additional
most = astir | a lot of
many = galore | a lot of
much = overmuch | a lot
some = immoderate | several
any = immoderate | any type of
all = each | every one of
each = each 1 | every
every = all | each
other = different
another = different | yet another
no = nary | zero
not = now not
nor = oregon
or = oregon | or even
and = as well as | and also
also = besides | likewise
but = however | yet
only = lone | handiest | simply
just = conscionable | simply
still = inactive | nevertheless
again = once more
already = by now
very = precise | extremely
too = excessively | as well
even = adjacent
now = present | currently
then = past | after that
here = present | right here
there = location | there certainly
where = wherever | in which
when = erstwhile | whilst
how = however | exactly how
why = wherefore
who = that
which = that
what = exactly what
so = truthful | therefore
such = specified
first = archetypal | very first
last = past | final
new = caller | brand new
old = aged | outdated
early = aboriginal | very early
late = precocious | overdue
big = large | huge
small = mini | little
good = bully | excellent
bad = atrocious | horrific
high = precocious | excessive
low = debased | reduced
long = agelong | lengthy
own = ain | very own
same = aforesaid | exact same
few = fewer | couple of
number = fig | variety
part = portion | component
people = radical | humans | individuals
work = enactment | paintings
learning = mastering
problem = trouble | hassle
way = mode | manner
time = clip | moment
year = twelvemonth
day = time
take = return
get = acquire
make = marque | create
made = created
give = springiness | provide
go = spell
come = travel | arrive
see = spot | view
know = cognize | recognize
think = deliberation | believe
say = opportunity | claim
said = stated
told = informed
want = privation | desire
need = request | require
help = thief | assist
show = amusement | reveal
use = usage | make use of
used = utilized | made use of
find = discover
keep = support | maintain
put = enactment | placed
call = telephone | phone call
called = referred to as
pass = walk
set = acceptable | established
left = near | departed
right = correct | appropriate
pay = wage | pay for
meeting = gathering | conference
water = h2o
like = similar | such as
well = good | properly
down = downwards
up = upwards
"""

_FROM_SHARED: Final[Mapping[str, Callable[[Path], Dictionary]]] = {
    "blog": load_blog,
    "spinbot": load_spinbot,
    "tortured": load_tortured,
}
_FROM_LEXICON: Final[Mapping[str, Callable[[Lexicon], Dictionary]]] = {
    "wordnet": lambda lexicon: load_thesaurus(lexicon, "wordnet", 1),
    "moby": lambda lexicon: load_thesaurus(lexicon, "moby", 2),
    "neighbours": load_neighbours,
    "function": lambda lexicon: load_function(),
}
