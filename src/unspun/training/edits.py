"""Honest edits: what desks, agencies and sites do to copy that they did not spin.

An edited text beside its source is the hard negative of every comparison: it is shortened, corrected, put
into house style, even reworded here and there, and still nobody swapped its words by machine. Each function
takes a text and a random generator and returns the edited text; :data:`EDITS` names them all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from unspun.text import Text

Edit = Callable[[str, random.Random], str]

_NUMBER_LIST: Final = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS: Final = _NUMBER_LIST.split()
_DAYS: Final = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_PARAGRAPH_END: Final = re.compile(r"(\s*\n\s*)")
#: An edit leaves at least this share of the source's words: a shorter one is an excerpt, a case of its own.
LEAST_KEPT: Final = 0.35


def edit(text: str, rng: random.Random, kinds: Iterable[str] | None = None) -> str:
    """``text`` after the edits named ``kinds`` (keys of :data:`EDITS`), or after two to five drawn ones.

    Raises KeyError for an unknown kind. Equal seeds give equal texts.
    """
    chosen = draw_kinds(rng) if kinds is None else list(kinds)
    for kind in chosen:
        text = EDITS[kind](text, rng)
    return text


def draw_kinds(rng: random.Random) -> list[str]:
    """Two to five kinds of edit, in the order in which they are applied."""
    picked = set(rng.sample(list(EDITS), rng.randint(2, 5)))
    return [kind for kind in EDITS if kind in picked]


# --- length and order


def shorten(text: str, rng: random.Random) -> str:
    """The end cut, as from an inverted pyramid, and single sentences left out on the way."""
    paragraphs = _paragraphs(text)
    keep = max(1, round(len(paragraphs) * rng.uniform(0.6, 1)))
    kept = [paragraphs[0], *(_drop_sentences(p, rng, 0.15) for p in paragraphs[1:keep])]
    return _unless_too_short("".join(kept).rstrip(), text)


def trim_clauses(text: str, rng: random.Random) -> str:
    """Trailing clauses cut before the full stop: ", which ...", ", according to ...", ", adding that ..."."""
    pattern = (
        r", (?:which|who|although|while|according to|adding|including|where|as) "
        r"[^.,;:!?\"“”\n]{8,90}(?=\.(?:\s|$))"
    )
    return _unless_too_short(_sometimes(pattern, "", text, rng, 0.6), text)


def reorder_paragraphs(text: str, rng: random.Random) -> str:
    """A paragraph moved past its neighbour, below the opening."""
    pieces = _PARAGRAPH_END.split(text)
    if len(pieces) >= 7:
        first = 2 * rng.randrange(1, len(pieces) // 2 - 1)
        pieces[first], pieces[first + 2] = pieces[first + 2], pieces[first]
    return "".join(pieces)


def split_sentences(text: str, rng: random.Random) -> str:
    """Sentences parted at ", and he" and the like."""

    def part(match: re.Match[str]) -> str:
        word = match["next"]
        return ". " + word[0].upper() + word[1:]

    return _sometimes(r", (?:and|but) (?P<next>(?:he|she|it|they|the|this|that|we)\b)", part, text, rng, 0.5)


def merge_sentences(text: str, rng: random.Random) -> str:
    """Short sentences joined by ", and"."""

    def join(match: re.Match[str]) -> str:
        return rng.choice((", and ", ", and ", ", but ")) + match["next"].lower()

    return _sometimes(r"(?<=[a-z]{3})\. (?P<next>(?:He|She|It|They|The|This|We)\b)", join, text, rng, 0.15)


# --- corrections


def make_typos(text: str, rng: random.Random) -> str:
    """One to three slips of the hand: letters exchanged, dropped or doubled inside a word."""
    places = list(re.finditer(r"\b[a-z]{5,}\b", text))
    for match in sorted(rng.sample(places, min(len(places), rng.randint(1, 3))), key=lambda m: -m.start()):
        at = match.start() + rng.randrange(1, len(match.group()) - 2)
        pair = text[at : at + 2]
        text = text[:at] + rng.choice((pair[::-1], pair[0], pair[0] + pair)) + text[at + 2 :]
    return text


def correct_typos(text: str, rng: random.Random) -> str:
    """Common misspellings put right, doubled words and doubled spaces removed."""
    text = _replace_words(text, _MISSPELLINGS, rng, 1.0)
    return re.sub(r"(?<=\S)  +(?=\S)", " ", re.sub(r"\b(the|a|of|to|in|and) \1\b", r"\1", text))


# --- house style


def restyle_numbers(text: str, rng: random.Random) -> str:
    """9 against nine; percent against per cent against %; one direction for the whole text."""
    if rng.random() < 0.5:
        words = {word: str(value) for value, word in enumerate(_NUMBERS) if value > 1}
        text = re.sub(rf"\b({'|'.join(words)})\b", lambda m: words[m[1]], text)
    else:
        text = re.sub(
            r"(?<![\d.,:$£€/-])\b([2-9]|1[0-2])\b(?![\d.,:%/-]|\s*(?:per ?cent|am|pm|bn|m)\b)",
            lambda m: _NUMBERS[int(m[1])],
            text,
        )
    sign = rng.choice((" percent", " per cent", "%"))
    text = re.sub(r"(?<=\d)(?:%| ?per ?cent\b)", lambda m: sign, text)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text) if rng.random() < 0.2 else text


def restyle_attribution(text: str, rng: random.Random) -> str:
    """Days with or without "on", titles dropped, "U.S." against "US", months cut short."""
    if rng.random() < 0.5:
        text = re.sub(rf"(?<=[a-z]) on (?=(?:{_DAYS})\b)", " ", text)
    else:
        text = re.sub(rf"\b(said|told \w+|announced|reported) (?=(?:{_DAYS})\b)", r"\1 on ", text)
    if rng.random() < 0.6:
        text = re.sub(r"\b(?:Mr|Mrs|Ms|Dr)\.? (?=[A-Z])", "", text)
    if rng.random() < 0.5:
        text = re.sub(r"\bU\.S\.(?= [a-z])", "US", text)
        text = re.sub(r"\bU\.N\.(?= [a-z])", "UN", text)
    else:
        text = re.sub(r"\bUS\b", "U.S.", text)
    if rng.random() < 0.3:
        text = re.sub(r"\b(Jan|Feb|Aug|Sept|Oct|Nov|Dec)(?:uary|ruary|ust|ember|ober) (?=\d)", r"\1. ", text)
    return text


def restyle_typography(text: str, rng: random.Random) -> str:
    """Quotation marks, apostrophes, dashes and ellipses in another style, the same throughout."""
    if re.search("[“”‘’]", text) or rng.random() < 0.3:
        text = text.translate(str.maketrans("“”‘’", "\"\"''"))
    else:
        text = re.sub(r'(^|[\s(\[])"', r"\1“", text).replace('"', "”")
        text = re.sub(r"(^|[\s(\[“])'", r"\1‘", text).replace("'", "’")
    dash = rng.choice((" - ", " – ", "—", " -- "))
    text = re.sub(r" (?:-|–|—|--) |(?<=\w)—(?=\w)", lambda m: dash, text)
    return text.replace("…", "...") if "…" in text else text.replace("...", "…")


def add_furniture(text: str, rng: random.Random) -> str:
    """A headline, a byline, a caption, a link or a copyright line that the source does not have."""
    name = f"{rng.choice(_FIRST_NAMES.split())} {rng.choice(_LAST_NAMES.split())}"
    year, day = rng.randint(2005, 2025), rng.randint(1, 28)
    month = rng.choice(("January", "March", "April", "June", "July", "October", "November"))
    above = rng.sample(
        [
            f"By {name}",
            f"{name}, {rng.choice(('Staff Writer', 'Political Correspondent', 'Business Reporter'))}",
            f"Published: {day} {month} {year}",
            f"Updated {month} {day}, {year} {rng.randint(1, 12)}:{rng.randint(10, 59)} p.m.",
            _headline(text),
        ],
        rng.randint(0, 2),
    )
    below = rng.sample(
        [
            f"Read more: {_headline(text)}",
            f"© {year} All rights reserved.",
            "Follow us on Twitter and Facebook for the latest news.",
            "This is a developing story. Check back for updates.",
            f"Photo: {name} / File",
            "Sign up for our daily newsletter.",
            "Have something to tell us about this article? Let us know in the comments.",
        ],
        rng.randint(1, 2),
    )
    return "\n\n".join([*above, text.strip("\n"), *below])


# --- words


def respell(text: str, rng: random.Random) -> str:
    """British spelling made American or the other way round."""
    to_american = dict(pair.split(":") for pair in _BRITISH_AMERICAN.split())
    table = to_american if rng.random() < 0.5 else {new: old for old, new in to_american.items()}
    return _replace_words(text, table, rng, 1.0)


def contract(text: str, rng: random.Random) -> str:
    """Contractions made or written out, one direction for the whole text."""
    # The text's own apostrophe, so that the edit shows as a contraction and not as typography too.
    table = _CONTRACTIONS.replace("'", "’") if "’" in text else _CONTRACTIONS
    pairs = dict(pair.strip().split("=") for pair in table.split(","))
    if rng.random() < 0.5:
        pairs = {short: long for long, short in pairs.items()}
    return _replace_words(text, pairs, rng, 0.9)


def copy_edit(text: str, rng: random.Random) -> str:
    """A few light touches: an adverb or a time word in or out, "that" in or out, that/which."""
    touches: list[Callable[[str], str]] = [
        lambda t: _few(r" (?:also|just|very|really|quite|already|now|recently|actually)(?= [a-z])", "", t, rng),
        lambda t: _few(r"(?<=\bsaid) (?=(?:he|she|it|they|the)\b)", " that ", t, rng),
        lambda t: _few(r"(?<=\bsaid) that (?=(?:he|she|it|they|the)\b)", " ", t, rng),
        lambda t: _few(r"(?<=[a-z]), which (?=(?:is|was|are|has|had)\b)", " that ", t, rng),
        lambda t: _few(r"\b(has|have|had|is|are|was|were) (?=[a-z]+ed\b)", _insert_adverb(rng), t, rng),
        lambda t: _few(rf" on (?:{_DAYS})\b", "", t, rng),
    ]
    for touch in rng.sample(touches, rng.randint(1, 3)):
        text = touch(text)
    return text


def reword(text: str, rng: random.Random) -> str:
    """Up to three choices of an editor's own: but/however, about/around, said/told reporters."""
    for _ in range(rng.randint(1, 3)):
        old, new = rng.choice(_CHOICES)
        if rng.random() < 0.5:
            old, new = new, old
        found = list(re.finditer(rf"\b{re.escape(old)}\b", text))
        if found:
            match = rng.choice(found)
            text = text[: match.start()] + new + text[match.end() :]
    return text


def trim_quotes(text: str, rng: random.Random) -> str:
    """A quotation shortened with an ellipsis, or a pronoun in it explained in brackets."""

    def cut(match: re.Match[str]) -> str:
        words = match["said"].split(" ")
        if len(words) < 12:
            return match.group()
        if rng.random() < 0.5:
            first = rng.randrange(3, len(words) - 6)
            words[first : first + rng.randint(2, 4)] = ["..."]
        else:
            words = words[: max(7, len(words) - rng.randint(3, 6))]
            words[-1] = words[-1].rstrip(".,") + ","
        return match["open"] + " ".join(words) + match["close"]

    text = _sometimes(r"(?P<open>[\"“])(?P<said>[^\"“”\n]{40,500})(?P<close>[\"”])", cut, text, rng, 0.5)
    name = re.search(r"(?<=[a-z] )[A-Z][a-z]{3,}(?= said)", text)
    if name and rng.random() < 0.5:
        text = re.sub(r"(?<=[\"“])(?:He|She) (?=(?:is|was|has|had)\b)", f"[{name.group()}] ", text, count=1)
    return text


EDITS: Final[Mapping[str, Edit]] = {
    "shorten": shorten,
    "trim_clauses": trim_clauses,
    "reorder_paragraphs": reorder_paragraphs,
    "split_sentences": split_sentences,
    "merge_sentences": merge_sentences,
    "trim_quotes": trim_quotes,
    "correct_typos": correct_typos,
    "restyle_numbers": restyle_numbers,
    "restyle_attribution": restyle_attribution,
    "respell": respell,
    "contract": contract,
    "copy_edit": copy_edit,
    "reword": reword,
    "make_typos": make_typos,
    "restyle_typography": restyle_typography,
    "add_furniture": add_furniture,
}


# --- helpers


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each with the white space that follows it."""
    pieces = _PARAGRAPH_END.split(text)
    return ["".join(pieces[i : i + 2]) for i in range(0, len(pieces), 2)]


def _drop_sentences(paragraph: str, rng: random.Random, chance: float) -> str:
    """The paragraph without some of its sentences; its first stays."""
    source = Text(paragraph)
    cuts = [0]
    for (_, last), (first, _) in zip(source.sentences, source.sentences[1:], strict=False):
        gap, start = source.words[last - 1].end, source.words[first].start
        space = re.search(r"\s+", source.raw[gap:start])
        cuts.append(gap + space.end() if space else start)
    ends = [*cuts[1:], len(paragraph)]
    kept = [paragraph[start:end] for start, end in zip(cuts, ends, strict=True) if start == 0 or rng.random() >= chance]
    tail = re.search(r"\s*\Z", paragraph)
    return "".join(kept).rstrip() + (tail.group() if tail else "")


def _unless_too_short(edited: str, text: str) -> str:
    return edited if len(edited.split()) >= LEAST_KEPT * len(text.split()) else text


def _sometimes(
    pattern: str, new: str | Callable[[re.Match[str]], str], text: str, rng: random.Random, chance: float
) -> str:
    """Each match of ``pattern`` replaced with the given chance."""

    def replace(match: re.Match[str]) -> str:
        if rng.random() >= chance:
            return match.group()
        return new(match) if callable(new) else match.expand(new)

    return re.sub(pattern, replace, text)


def _few(pattern: str, new: str | Callable[[re.Match[str]], str], text: str, rng: random.Random) -> str:
    """One or two matches of ``pattern`` replaced, anywhere in the text."""
    found = list(re.finditer(pattern, text))
    for match in sorted(rng.sample(found, min(len(found), rng.randint(1, 2))), key=lambda m: -m.start()):
        wording = new(match) if callable(new) else new
        text = text[: match.start()] + wording + text[match.end() :]
    return text


def _insert_adverb(rng: random.Random) -> Callable[[re.Match[str]], str]:
    return lambda match: f"{match[1]} {rng.choice(('also', 'already', 'now', 'recently', 'reportedly', 'since'))} "


def _replace_words(text: str, table: Mapping[str, str], rng: random.Random, chance: float) -> str:
    """Words and phrases of ``table`` replaced, a leading capital kept."""

    def replace(match: re.Match[str]) -> str:
        if rng.random() >= chance:
            return match.group()
        new = table[match.group().lower()]
        return new[0].upper() + new[1:] if match.group()[0].isupper() else new

    longest_first: Sequence[str] = sorted(table, key=len, reverse=True)
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", replace, text, flags=re.IGNORECASE)


def _headline(text: str) -> str:
    """Some first words of the text, as a headline."""
    return " ".join(word.strip("\"“”.,:;'") for word in text.split()[:8])


_FIRST_NAMES: Final = "Anna David Maria James Priya Tom Claire Omar Susan Peter Lucy Daniel"
_LAST_NAMES: Final = "Walker Shah Novak Hughes Martin Okafor Lindqvist Reyes Carter Ellis Moore Tanaka"


_MISSPELLINGS: Final = {
    "accomodate": "accommodate",
    "acheive": "achieve",
    "acheived": "achieved",
    "alot": "a lot",
    "arguement": "argument",
    "becuase": "because",
    "beleive": "believe",
    "beleived": "believed",
    "buisness": "business",
    "definately": "definitely",
    "diffrent": "different",
    "enviroment": "environment",
    "experiance": "experience",
    "goverment": "government",
    "happend": "happened",
    "independant": "independent",
    "knowlege": "knowledge",
    "occured": "occurred",
    "peice": "piece",
    "recieve": "receive",
    "recieved": "received",
    "seperate": "separate",
    "seperated": "separated",
    "succesful": "successful",
    "teh": "the",
    "thier": "their",
    "tommorow": "tomorrow",
    "untill": "until",
    "wich": "which",
}

_BRITISH_AMERICAN: Final = """
analyse:analyze analysed:analyzed armour:armor behaviour:behavior cancelled:canceled catalogue:catalog
centre:center centres:centers cheque:check cheques:checks colour:color colours:colors counsellor:counselor
criticise:criticize criticised:criticized criticising:criticizing defence:defense emphasise:emphasize
favour:favor favourite:favorite favoured:favored fulfil:fulfill grey:gray harbour:harbor honour:honor
honoured:honored humour:humor jewellery:jewelry kilometre:kilometer kilometres:kilometers labelled:labeled
labour:labor licence:license litre:liter litres:liters manoeuvre:maneuver metre:meter metres:meters
modelling:modeling mum:mom neighbour:neighbor neighbours:neighbors neighbouring:neighboring offence:offense
organisation:organization organisations:organizations organise:organize organised:organized
organisers:organizers paralysed:paralyzed plough:plow programme:program programmes:programs
privatisation:privatization realise:realize realised:realized recognise:recognize recognised:recognized
rumour:rumor rumours:rumors sceptical:skeptical skilful:skillful specialise:specialize specialised:specialized
theatre:theater theatres:theaters towards:toward traveller:traveler travellers:travelers travelling:traveling
tumour:tumor tumours:tumors tyre:tire tyres:tires vapour:vapor apologise:apologize apologised:apologized
authorised:authorized aluminium:aluminum ageing:aging enquiry:inquiry
endeavour:endeavor fibre:fiber finalise:finalize finalised:finalized minimise:minimize mobilise:mobilize
practise:practice signalled:signaled stabilise:stabilize storey:story summarise:summarize whilst:while
"""

_CONTRACTIONS: Final = """
is not=isn't, are not=aren't, was not=wasn't, were not=weren't, do not=don't, does not=doesn't,
did not=didn't, has not=hasn't, have not=haven't, had not=hadn't, will not=won't, would not=wouldn't,
could not=couldn't, should not=shouldn't, cannot=can't, we have=we've, they have=they've, i have=i've,
you have=you've, we are=we're, they are=they're, you are=you're, it is=it's, that is=that's,
there is=there's, we will=we'll, i am=i'm
"""

#: What two honest editors write differently. Both directions are used.
_CHOICES: Final = (
    ("But", "However,"),
    ("about", "around"),
    ("about", "approximately"),
    ("nearly", "almost"),
    ("more than", "over"),
    ("because of", "due to"),
    ("before", "prior to"),
    ("after", "following"),
    ("last year", "in 2019"),
    ("this year", "in 2005"),
    ("said", "told reporters"),
    ("said", "added"),
    ("said", "says"),
    ("many", "a number of"),
    ("children", "kids"),
    ("company", "firm"),
    ("people", "persons"),
    ("begin", "start"),
    ("began", "started"),
    ("show", "indicate"),
    ("such as", "like"),
    ("while", "as"),
    ("although", "though"),
    ("although", "while"),
    ("until", "till"),
    ("police", "officers"),
    ("buy", "purchase"),
    ("let", "allow"),
    ("near", "close to"),
    ("some", "several"),
    ("might", "may"),
    ("get", "receive"),
    ("get", "obtain"),
    ("big", "large"),
    ("biggest", "largest"),
    ("help", "assist"),
    ("try to", "attempt to"),
    ("plan to", "intend to"),
    ("expected to", "set to"),
)
