"""Families: articles spun from one another, found with no reference given."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from unspun.article import Article, Relation, Verdict
from unspun.cli import app
from unspun.detector import Detector
from unspun.families import candidates as candidate_search
from unspun.families.candidates import find_candidates
from unspun.families.find import find_families
from unspun.families.groups import Family, group_families
from unspun.index.build import add_articles, build_index, remove_articles
from unspun.index.query import Index
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.training.dictionaries import load_dictionary
from unspun.training.spinner import spin_whole

LEXICON = Lexicon.load()
DICTIONARIES = ("moby", "wordnet", "neighbours")


def make_set(families: int = 8, copies: int = 3, others: int = 60) -> list[Article]:
    """Texts on their own, and some with copies spun of 15 to 40 % of their words, in no order."""
    rng = random.Random(5)
    prose = [item for item in read_articles([find_data("llm_prose.jsonl")]) if isinstance(item, Article)]
    originals, rest = prose[:families], prose[families : families + others]
    dictionaries = [load_dictionary(name, LEXICON) for name in DICTIONARIES]
    made = [*originals, *rest]
    for original in originals:
        for number in range(copies):
            spun = spin_whole(original.text, dictionaries[number % 3], rng.uniform(0.15, 0.4), rng).text
            made.append(Article(f"{original.id}/spun-{number}", spun, f"https://example.org/{original.id}/{number}"))
    rng.shuffle(made)
    return made


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(context="never")


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return make_set()


@pytest.fixture(scope="module")
def families(articles: list[Article], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> list[Family]:
    path = tmp_path_factory.mktemp("families") / "index"
    build_index(path, articles, LEXICON)
    return find_families(Index.open(path, LEXICON), detector)


def pair_up(groups: Iterable[Sequence[str]]) -> set[tuple[str, ...]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def list_ids(families: Iterable[Family]) -> list[list[str]]:
    return [[member.verdict.id for member in family.members] for family in families]


def test_families_are_found_and_nothing_else(articles: list[Article], families: list[Family]) -> None:
    leads = {article.id.split("/spun-")[0] for article in articles if "/spun-" in article.id}
    truth = pair_up([a.id for a in articles if a.id.split("/spun-")[0] == lead] for lead in sorted(leads))
    found = pair_up(list_ids(families))
    assert len(leads) == 8
    assert found <= truth
    assert len(found) >= 0.95 * len(truth)


def test_each_family_tells_its_original_and_what_the_others_are(families: list[Family]) -> None:
    for family in families:
        first, *rest = family.members
        assert "/spun-" not in (family.original or "/spun-")
        assert (first.verdict.id, first.role, first.beside) == (family.original, "original", None)
        assert first.verdict.label == "clean"
        for member in rest:
            assert member.role == "spun"
            assert member.beside in list_ids([family])[0]
            assert member.verdict.label in ("spun", "suspect")
            assert member.verdict.spans


def test_the_order_of_the_articles_and_the_number_of_workers_change_nothing(
    articles: list[Article], families: list[Family], detector: Detector, tmp_path: Path
) -> None:
    build_index(tmp_path / "index", articles[50:], LEXICON)
    add_articles(tmp_path / "index", articles[:50], LEXICON)
    index = Index.open(tmp_path / "index", LEXICON)
    assert len(index.segments) == 2
    found = find_families(index, detector, workers=2)
    assert [family.to_dict() for family in found] == [family.to_dict() for family in families]


def test_exact_copies_come_along_and_removed_articles_do_not(
    articles: list[Article], families: list[Family], detector: Detector, tmp_path: Path
) -> None:
    family = families[0]
    original, spun = family.members[0].verdict.id, family.members[1].verdict.id
    texts = {article.id: article.text for article in articles}
    copies = [Article("again", texts[original].upper()), Article("anew", texts[spun] + "\n")]
    build_index(tmp_path / "index", [*articles, *copies], LEXICON)
    remove_articles(tmp_path / "index", [member.verdict.id for member in families[1].members[1:]])
    found = find_families(Index.open(tmp_path / "index", LEXICON), detector)
    by_id = {member.verdict.id: member for other in found for member in other.members}
    assert pair_up(list_ids(found)) == pair_up(
        [list_ids([family])[0] + ["again", "anew"], *(ids for ids in list_ids(families[2:]))]
    )
    roles = {by_id[name].role for name in ("again", original)}
    assert roles == {"original", "copy"}
    assert by_id["anew"].role == by_id[spun].role == "spun"


def test_a_family_of_hundreds_hangs_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rng, dictionary = random.Random(1), load_dictionary("wordnet", LEXICON)
    source = make_set(1, 0, 0)[0].text
    spun = [Article(f"s{n}", spin_whole(source, dictionary, 0.3, rng).text) for n in range(150)]
    build_index(tmp_path / "index", [*spun, *make_set(0, 0, 60)], LEXICON)
    index = Index.open(tmp_path / "index", LEXICON)
    monkeypatch.setattr(candidate_search, "NEIGHBOURS", 4)
    found = dict(find_candidates(index))
    reached, waiting = {0}, [0]
    while waiting:
        for other in found.get(waiting.pop(), []):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    assert {number for number in reached if number < 150} == set(range(150))
    assert max(map(len, found.values())) <= 8


def make_verdict(name: str, score: float, *relations: tuple[str, str, float]) -> Verdict:
    label = "spun" if score >= 0.9 else "suspect" if score >= 0.5 else "clean"
    return Verdict(name, None, score, label, references=tuple(Relation(*relation) for relation in relations))


def test_grouping_draws_in_what_belongs_and_no_further() -> None:
    verdicts = [
        make_verdict("o", 0.1, ("a", "edited", 0.7), ("wire", "copy", 0.99)),
        make_verdict("a", 0.99, ("o", "spun", 0.9)),
        make_verdict("light", 0.6, ("o", "spun", 0.95)),
        make_verdict("wire", 0.0, ("o", "copy", 0.99), ("digest", "edited", 0.9)),
        make_verdict("report", 0.0, ("o", "edited", 0.5)),
        make_verdict("digest", 0.0, ("wire", "edited", 0.3), ("x", "edited", 0.3)),
        make_verdict("x", 0.97, ("y", "spun", 0.9)),
        make_verdict("y", 0.0, ("x", "edited", 0.9)),
    ]
    assert [(f.original, list_ids([f])[0]) for f in group_families(verdicts)] == [("o", ["o", "a", "light", "wire"])]
    [family] = group_families(reversed(verdicts))
    assert [(m.role, m.beside, m.coverage) for m in family.members] == [
        ("original", None, 1.0),
        ("spun", "o", 0.9),
        ("spun", "o", 0.95),
        ("copy", "o", 0.99),
    ]


def test_where_all_are_spun_there_is_no_original() -> None:
    verdicts = [make_verdict("a", 0.99, ("b", "spun", 0.9)), make_verdict("b", 0.98, ("a", "spun", 0.8))]
    [family] = group_families(verdicts)
    assert family.original is None
    assert [member.role for member in family.members] == ["spun", "spun"]
    assert group_families([]) == []


def write_lines(path: Path, articles: Iterable[Article]) -> None:
    rows = ({"id": a.id, "text": a.text, "url": a.source} for a in articles)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_the_command(articles: list[Article], families: list[Family], tmp_path: Path) -> None:
    few = [a for a in articles if a.id.split("/spun-")[0] in {f.original for f in families[:2]}] + articles[:5]
    few = list({article.id: article for article in few}.values())
    write_lines(tmp_path / "articles.jsonl", few)
    runner = CliRunner()
    done = runner.invoke(app, ["families", str(tmp_path / "articles.jsonl"), "--format", "jsonl"])
    assert done.exit_code == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["original"] for record in found} >= {family.original for family in families[:2]}
    assert all(record["schema"] == 1 and record["size"] == len(record["members"]) for record in found)
    assert all(member["verdict"]["schema"] == 1 for record in found for member in record["members"])
    (tmp_path / "broken.jsonl").write_text('{\n{"text": "…"}\n')
    args = [str(tmp_path / name) for name in ("articles.jsonl", "broken.jsonl")]
    done = runner.invoke(app, ["families", *args, "--out", str(tmp_path / "out.txt")])
    assert done.exit_code == 3
    assert "broken.jsonl:1: broken JSON" in done.stderr
    assert "1 without a word left out" in done.stderr
    assert f"{len(found)} families" in done.stderr
    table = (tmp_path / "out.txt").read_text()
    assert table.count("original") == len(found)
    assert all(name in table for record in found for name in (member["id"] for member in record["members"]))


@pytest.mark.parametrize(("content", "message"), [(None, "no such file or folder"), ("", "holds no readable text")])
def test_bad_sources_are_refused(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    if content is not None:
        path.write_text(content)
    done = CliRunner().invoke(app, ["families", str(path)])
    assert done.exit_code == 2
    assert message in done.stderr
    assert str(path) in done.stderr


def test_a_damaged_index_is_refused(articles: list[Article], tmp_path: Path) -> None:
    build_index(tmp_path / "index", articles[:3], LEXICON)
    next(tmp_path.glob("index/segment-*/tags")).write_bytes(b"")
    done = CliRunner().invoke(app, ["families", str(tmp_path / "index")])
    assert done.exit_code == 2
    assert "build the index anew" in done.stderr


def test_a_full_disk_is_told(articles: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lines(tmp_path / "articles.jsonl", articles[:3])

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "pairs"))

    monkeypatch.setattr("unspun.families.candidates._Spill.add_up", fail)
    done = CliRunner().invoke(app, ["families", str(tmp_path / "articles.jsonl")])
    assert done.exit_code == 70
    assert f"{tmp_path / 'pairs'}: cannot be written (No space left on device); make room" in done.stderr


def test_more_articles_than_can_be_numbered_are_sent_to_spark(
    articles: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "articles.jsonl", articles[:5])
    monkeypatch.setattr(candidate_search, "_NUMBER_BITS", 2)
    done = CliRunner().invoke(app, ["families", str(tmp_path / "articles.jsonl")])
    assert done.exit_code == 2
    assert "holds 5 articles; more than 4 need Spark" in done.stderr
