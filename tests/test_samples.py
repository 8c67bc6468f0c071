"""The sample articles: rendered files in step, truth exact, every kind there."""

import html
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.text import Text
from unspun.training.samples import MARK_KINDS, MarkedError, Sample, main, parse_marked, read_samples

FOLDER = Path(__file__).resolve().parents[1] / "data" / "samples"
SAMPLES = read_samples(FOLDER)
REFERENCES = sorted((FOLDER / "references").iterdir())
WITH_SOURCE = [sample for sample in SAMPLES if sample.source]
PREFIX = {"spun": "spun", "edited": "edited", "copy": "copy", "quoted": "quote_altered", "fresh": "honest"}


def name_sample(sample: Sample) -> str:
    return sample.id


def read_body(path: Path) -> str:
    """The text that a reader of the reference sees, paragraph by paragraph."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = re.sub(r"^#+ ", "", text, flags=re.M)
        return re.sub(r"\*+", "", re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text))
    if path.suffix == ".html":
        article = text.split("<article>")[1].split("</article>")[0]
        blocks = re.findall(r"<(?:h1|p)\b[^>]*>(.*?)</(?:h1|p)>", article)
        return html.unescape("\n\n".join(blocks)) + "\n"
    return text


def test_rendered_files_are_in_step() -> None:
    assert main([str(FOLDER), "--check"]) == 0


def test_truth_lines_hold_the_samples() -> None:
    lines = (FOLDER / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [sample.to_dict() for sample in SAMPLES]


@pytest.mark.parametrize("sample", SAMPLES, ids=name_sample)
def test_substitutions_restore_the_original(sample: Sample) -> None:
    text = (FOLDER / "articles" / sample.id).read_text(encoding="utf-8")
    restored, read = "", 0
    for substitution in sample.substitutions:
        assert text[substitution.start : substitution.end] == substitution.text
        assert substitution.start >= read
        restored += text[read : substitution.start] + substitution.original
        read = substitution.end
    assert restored + text[read:] == sample.original


@pytest.mark.parametrize("sample", WITH_SOURCE, ids=name_sample)
def test_original_is_the_source_reference(sample: Sample) -> None:
    assert sample.source is not None
    assert sample.original == read_body(FOLDER / "references" / sample.source)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_sample)
def test_kind_fits_name_and_marks(sample: Sample) -> None:
    assert sample.kind == PREFIX[sample.id.split("-")[1]]
    kinds = {substitution.kind for substitution in sample.substitutions}
    assert bool(kinds) == (sample.kind in ("spun", "edited", "quote_altered"))
    if sample.kind == "quote_altered":
        assert kinds == {"quote"}
        assert len(sample.substitutions) >= 5
    assert (sample.family is not None) == (sample.kind == "spun")
    assert (sample.label == "spun") == (sample.kind in ("spun", "quote_altered"))


@pytest.mark.parametrize("sample", SAMPLES, ids=name_sample)
def test_swaps_of_kind_quote_stand_in_quotations(sample: Sample) -> None:
    quotations = Text(sample.text).quotations
    for substitution in sample.substitutions:
        inside = any(start <= substitution.start < end for start, end in quotations)
        if substitution.kind == "quote":
            assert inside, substitution
        if substitution.kind == "synonym":
            assert not inside, substitution


def test_there_is_enough_of_everything() -> None:
    outlets = Counter(path.stem.split("-")[0] for path in REFERENCES)
    assert len(outlets) >= 7
    assert set(outlets.values()) == {3}
    assert {path.suffix for path in REFERENCES} == {".txt", ".md", ".html"}
    kinds = Counter(sample.kind for sample in SAMPLES)
    assert min(kinds[kind] for kind in PREFIX.values()) >= 4
    assert sum(kinds.values()) >= 20
    families = {sample.family for sample in SAMPLES if sample.family}
    assert families == {"blog", "spinbot", "thesaurus", "light", "partial", "heavy"}
    assert sum(sample.kind == "spun" and sample.source is None for sample in SAMPLES) >= 4
    assert len({sample.event for sample in SAMPLES} - outlets.keys()) == 2
    assert all(130 <= len(read_body(path).split()) <= 260 for path in REFERENCES)


@pytest.mark.parametrize("event", sorted({path.stem.split("-")[0] for path in REFERENCES}))
def test_reports_share_a_quotation_and_no_more(event: str) -> None:
    """Two outlets at least quote the same 15 words; outside quotations no two share 9 words in a row."""
    quoted, said = [], []
    for path in REFERENCES:
        if not path.name.startswith(f"{event}-"):
            continue
        # Letters only: an outlet spells harbour its own way.
        body = Text(read_body(path).replace("harbour", "harbor"))
        inside = {
            i for i, word in enumerate(body.words) if any(start <= word.start < end for start, end in body.quotations)
        }
        runs = {n: [range(i, i + n) for i in range(len(body.words) - n + 1)] for n in (9, 15)}
        quoted.append({tuple(body.norms[i] for i in run) for run in runs[15] if inside.issuperset(run)})
        said.append({tuple(body.norms[i] for i in run) for run in runs[9] if inside.isdisjoint(run)})
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert any(quoted[a] & quoted[b] for a, b in pairs)
    assert not any(said[a] & said[b] for a, b in pairs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: spun\nA line", "empty line"),
        ("kind: odd\n\nA line", "header kind"),
        ("colour: red\nkind: spun\n\nA line", "header line"),
        ("kind: spun\n\nA {{line", "braces"),
        ("kind: spun\n\nA {{row}} of them", "braces"),
        ("kind: spun\n\nA {{row|line|wrong}}", "kind 'wrong'"),
        ("kind: spun\n\nA {{row|row}}", "changes nothing"),
        ("kind: honest\n\nA {{row|line}}", "has no marks"),
    ],
)
def test_bad_marked_sources_say_why(text: str, message: str) -> None:
    with pytest.raises(MarkedError, match=message):
        parse_marked(text)


def make_folder(folder: Path, marked: str) -> Path:
    (folder / "references").mkdir()
    (folder / "references" / "fair-echo.md").write_text("A line\n", encoding="utf-8")
    (folder / "marked").mkdir()
    (folder / "marked" / "fair-spun-blog.txt").write_text(marked, encoding="utf-8")
    return folder


def test_render_writes_then_check_notices_changes(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "source: fair-echo\nfamily: blog\nkind: spun\n\nA {{row|line}}\n")
    assert main([str(folder), "--check"]) == 1
    assert not (folder / "truth.jsonl").exists()
    assert main([str(folder)]) == 0
    assert main([str(folder), "--check"]) == 0
    stray = folder / "articles" / "stray.txt"
    stray.write_text("left over", encoding="utf-8")
    assert main([str(folder), "--check"]) == 1
    assert main([str(folder)]) == 0
    assert not stray.exists()
    truth = json.loads((folder / "truth.jsonl").read_text(encoding="utf-8"))
    assert truth["source"] == "fair-echo.md"
    assert truth["substitutions"] == [{"start": 2, "end": 5, "text": "row", "original": "line", "kind": "synonym"}]


def test_missing_reference_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_folder(tmp_path, "source: fair-none\nfamily: blog\nkind: spun\n\nA {{row|line}}\n")
    assert main([str(folder)]) == 2
    error = capsys.readouterr().err
    assert "fair-spun-blog.txt" in error
    assert "fair-none" in error


# Any text but the three marks of the notation, which have no escape; surrogates cannot be written as UTF-8.
wordings = st.text(st.characters(exclude_characters="{}|", exclude_categories=("Cs",)), max_size=12)
marks = st.tuples(wordings, wordings, st.sampled_from(MARK_KINDS)).filter(lambda mark: mark[0] != mark[1])


@given(st.lists(st.tuples(wordings, marks), max_size=8), wordings)
def test_offsets_point_at_the_new_wordings(pieces: list[tuple[str, tuple[str, str, str]]], rest: str) -> None:
    body = "".join(f"{plain}{{{{{new}|{old}|{kind}}}}}" for plain, (new, old, kind) in pieces) + rest
    marked = parse_marked(f"source: unseen\nkind: spun\n\n{body}")
    assert marked.header == {"source": "unseen", "kind": "spun"}
    assert marked.text == "".join(plain + new for plain, (new, _, _) in pieces) + rest
    assert marked.original == "".join(plain + old for plain, (_, old, _) in pieces) + rest
    assert [(s.text, s.original, s.kind) for s in marked.substitutions] == [mark for _, mark in pieces]
    assert all(marked.text[s.start : s.end] == s.text for s in marked.substitutions)
