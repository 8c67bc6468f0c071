"""Files that the filter reads and writes: every kind, whole, damaged and cut off; what is too large."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import unspun.detector
from test_filter import RECORDS, FakeDetector, read, run, start, write
from unspun.commands import console
from unspun.filtering import record_files
from unspun.filtering.record_files import Rest, list_files, read_lines, split_lines

TEXT = "The council voted on the new road after a long debate. " * 12


@pytest.fixture(autouse=True)
def _fake_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", FakeDetector)


def read_all(*paths: Path) -> tuple[list[Any], list[str]]:
    """The records of files, pages with their text, and what is told of the files."""
    told = list[str]()
    lines = list(read_lines(paths, told.append))
    return [json.loads(record_files.extract_page(b) if isinstance(b, record_files.Page) else b) for b in lines], told


# --- lines


def test_lines_are_the_same_however_blocks_are_cut() -> None:
    whole = b'{"a": 1}\n\n{"b": "x\\n"}\r\n' * 50 + b"last"
    rng = random.Random(0)
    for _ in range(20):
        cuts = sorted(rng.sample(range(len(whole)), 12))
        blocks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        assert list(split_lines(blocks)) == whole.splitlines(keepends=True)


def test_a_line_that_is_too_large_passes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_files, "MAX_BYTES", 10)
    monkeypatch.setattr(record_files, "_PART", 3)
    blocks = [b"short\nlo", b"ng" * 4, b"ger" * 4, b"s", b"s", b"ss", b"t\nshort\n"]
    found = list(split_lines(blocks))
    assert found == [b"short\n", b"longngngng" + b"ger" * 4, b"ssss", b"t\n", b"short\n"]
    assert [type(line) for line in found] == [bytes, bytes, Rest, Rest, bytes]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_line_of_200_mb_goes_where_it_belongs_and_fills_no_memory(tmp_path: Path, workers: str) -> None:
    source, out, aside = tmp_path / "in.jsonl", tmp_path / "out", tmp_path / "aside"
    with source.open("wb") as file:
        file.write(b'{"text": "clean"}\n{"text": "')
        for _ in range(200):
            file.write(b"spun " * 200_000)
        file.write(b'"}\n{"text": "spun"}\n')
    options = ["--on-error", "quarantine", "--quarantine", aside, "--out", out, "--workers", workers]
    peak = tmp_path / "peak"
    with start(
        source, *options, "--summary", tmp_path / "s.json", env=os.environ | {"PEAK_FILE": str(peak)}
    ) as process:
        assert process.wait(60) == 3
    assert int(peak.read_text()) < 400_000, "kB"
    assert [record["text"] for record in read(out)] == ["clean", "spun"]
    others = b'{"text": "clean"}\n' + b'{"text": "spun"}\n'
    assert aside.stat().st_size == source.stat().st_size - len(others)
    assert json.loads((tmp_path / "s.json").read_text())["records"] == 3


# --- packed


def pack_zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard", reason="needs the extra files")
    return bytes(zstandard.ZstdCompressor().compress(data))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", pack_zstd)])
def test_packed_files_are_read_to_where_they_break(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    lines = b"".join(b'{"text": "clean", "n": %d, "x": %d}\n' % (n, hash(n) ** 3) for n in range(30_000))
    path = tmp_path / f"a.jsonl{suffix}"
    # Two members make one file; its last line has no end.
    path.write_bytes(pack(lines) + pack(b'{"text": "clean", "n": -1}'))
    found, told = read_all(path)
    assert [record["n"] for record in found] == [*range(30_000), -1]
    assert told == []
    for cut in (len(path.read_bytes()) // 2, len(pack(lines)) + 5, 3):
        short = tmp_path / f"cut.jsonl{suffix}"
        short.write_bytes(path.read_bytes()[:cut])
        lines_of = b"".join(read_lines([short], told.append))
        assert lines.startswith(lines_of[: lines_of.rfind(b"\n") + 1])
        assert (len(lines_of) > 100_000) == (cut > 3)
    assert len(told) == 3
    assert all("damaged or cut off: get an undamaged copy" in message for message in told)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_output_is_packed_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    pack_zstd(b"")
    out, aside = tmp_path / f"out.jsonl{suffix}", tmp_path / f"aside.jsonl{suffix}"
    source = write(tmp_path / "in.jsonl", RECORDS)
    assert run(source, "--out", out, "--spun", "quarantine", "--quarantine", aside).exit_code == 0
    assert [record["id"] for record in read_all(out)[0]] == ["1", "3", "4"]
    assert [record["id"] for record in read_all(aside)[0]] == ["2"]


# --- parquet


def write_parquet(path: Path, **columns: Any) -> Path:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra files")
    import pyarrow

    parquet.write_table(pyarrow.table(columns), path)
    return path


def read_parquet(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.read_table(path)


def make_parquet(path: Path, count: int = 1000) -> Path:
    import datetime

    texts = [("clean", "spun", "suspect", "short")[n % 4] for n in range(count)]
    when = [datetime.date(1900 + n % 50, 1, 1) for n in range(count)]
    return write_parquet(path, id=[str(n) for n in range(count)], text=texts, when=when, raw=[b"\xff\x00"] * count)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_parquet_keeps_its_columns_and_gets_one(tmp_path: Path, workers: str) -> None:
    source, out, aside = make_parquet(tmp_path / "a.parquet"), tmp_path / "out.parquet", tmp_path / "aside.parquet"
    options = ["--spun", "quarantine", "--suspect", "drop", "--clean", "keep", "--workers", workers]
    assert run(source, *options, "--out", out, "--quarantine", aside).exit_code == 0
    before, found, set_aside = read_parquet(source), read_parquet(out), read_parquet(aside)
    kept = [n for n in range(1000) if n % 4 in (0, 3)]
    assert found.drop_columns(["unspun"]).equals(before.take(kept))
    assert set_aside.drop_columns(["unspun"]).equals(before.take(list(range(1, 1000, 4))))
    tags = [json.loads(tag)["label"] if tag else None for tag in found["unspun"].to_pylist()]
    assert tags == [None, "unscored"] * 250
    # Once more: the old tags are replaced.
    again = tmp_path / "again.parquet"
    assert run(aside, "--out", again).exit_code == 0
    assert read_parquet(again).equals(set_aside)


def test_parquet_becomes_lines_where_lines_are_wanted(tmp_path: Path) -> None:
    source = make_parquet(tmp_path / "a.parquet", 4)
    found = [json.loads(line) for line in run(source).stdout.splitlines()]
    assert [record["unspun"]["label"] for record in found] == ["clean", "spun", "suspect", "unscored"]
    assert found[0]["when"] == "1900-01-01"


def test_parquet_without_the_column_passes_with_what_is_wrong(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet", body=["clean", None], id=[1, 2])
    result = run(source, "--out", tmp_path / "out.parquet")
    assert result.exit_code == 3
    assert "no string 'text' in the record: name the text's field" in result.stderr
    found = read_parquet(tmp_path / "out.parquet")
    assert found.drop_columns(["unspun"]).equals(read_parquet(source))
    assert [json.loads(tag)["label"] for tag in found["unspun"].to_pylist()] == ["unscored"] * 2


def test_what_cannot_become_parquet_is_refused(tmp_path: Path) -> None:
    lines, out = write(tmp_path / "in.jsonl", RECORDS), tmp_path / "out.parquet"
    first, other = make_parquet(tmp_path / "a.parquet"), write_parquet(tmp_path / "b.parquet", text=["clean"])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(first.read_bytes()[:-10])
    for inputs, says in (
        ([lines], "parquet is written from parquet only"),
        ([], "not from stdin"),
        ([first, other], f"{other}: has other columns than {first}"),
        ([first, broken], f"{broken}: no parquet file"),
        ([first, "--checkpoint", tmp_path / "state"], "a parquet file cannot be gone on with"),
    ):
        result = run(*inputs, "--out", out)
        assert result.exit_code == 2
        assert says in result.stderr
    assert not out.exists()
    result = run(broken, first, "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 3
    assert f"{broken}: parquet is damaged or cut off" in result.stderr
    assert len(read(tmp_path / "out.jsonl")) == 1000


def test_values_that_python_has_none_for_lose_no_row(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra files")
    from pyarrow import parquet

    def view(values: list[bytes]) -> Any:
        return pyarrow.array(values, pyarrow.binary()).view(pyarrow.string())

    nested = pyarrow.ListArray.from_arrays([0, 1, 2], view([b"\xfe", b"b"]))
    table = pyarrow.table({
        "text": view([b"\xffgood", TEXT.encode()]),
        "tags": nested,
        "day": pyarrow.array([2**31 - 1, 0], pyarrow.int32()).view(pyarrow.date32()),
        "when": pyarrow.array([2**62, 0], pyarrow.int64()).view(pyarrow.timestamp("us")),
    })  # fmt: skip
    path = tmp_path / "odd.parquet"
    parquet.write_table(table, path)
    found, told = read_all(path)
    assert told == []
    assert [record["text"] for record in found] == ["\ufffdgood", TEXT]
    assert [record["tags"] for record in found] == [["\ufffd"], ["b"]]
    assert [(record["day"], record["when"]) for record in found] == [(2**31 - 1, 2**62), (0, 0)]


def test_values_that_cannot_be_read_are_null_and_told() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra files")
    broken = pyarrow.DictionaryArray.from_arrays(pyarrow.array([5], pyarrow.int8()), ["a"], safe=False)
    batch = pyarrow.record_batch([broken, pyarrow.array(["b"])], names=["bad", "good"])
    odd = set[str]()
    assert record_files._list_rows(batch, odd) == [{"bad": None, "good": "b"}]
    assert odd == {"bad"}


# --- web archives


def write_archive(path: Path, packed: bool) -> Path:
    """Three pages, a picture, a request, and a plain text as WET files have them."""
    pytest.importorskip("warcio", reason="needs the extra warc")
    pytest.importorskip("trafilatura", reason="needs the extra warc")
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed)

        def add(kind: str, name: str, content: bytes, described: str = "", **options: Any) -> None:
            if described:
                options["http_headers"] = StatusAndHeaders("200 OK", [("Content-Type", described)], protocol="HTTP/1.0")
            url = f"https://paper.example/{name}"
            writer.write_record(writer.create_warc_record(url, kind, io.BytesIO(content), **options))

        for number in range(3):
            page = f"<html><title>Page {number}</title><body><article><p>Über {TEXT}</p></article></body></html>"
            encoding = ("utf-8", "iso-8859-1", "utf-16")[number]
            add("response", str(number), page.encode(encoding), f"text/html; charset={encoding}")
        add("response", "picture", b"\x89PNG\0\1\2", "image/png")
        add("request", "0", b"GET / HTTP/1.0\r\n\r\n")
        add("conversion", "wet", TEXT.encode(), warc_content_type="text/plain")
    return path


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.wet.gz"])
def test_texts_and_pages_of_web_archives_are_read(tmp_path: Path, name: str) -> None:
    found, told = read_all(write_archive(tmp_path / name, name.endswith(".gz")))
    assert told == []
    assert [record["url"] for record in found] == [f"https://paper.example/{n}" for n in ("0", "1", "2", "wet")]
    assert [record["title"] for record in found[:3]] == ["Page 0", "Page 1", "Page 2"]
    assert all(record["text"].startswith("Über The council voted") for record in found[:3])
    assert found[3]["text"] == TEXT
    assert all(record["id"].startswith("<urn:uuid:") and record["date"] for record in found)
    result = run(tmp_path / name, "--workers", "2")
    assert result.exit_code == 0
    tagged = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(r["text"], r["unspun"]["label"]) for r in tagged] == [(r["text"], "clean") for r in found]


@pytest.mark.parametrize("packed", [False, True])
def test_a_web_archive_that_is_cut_anywhere_gives_what_came_before(tmp_path: Path, packed: bool) -> None:
    whole = write_archive(tmp_path / "a.warc", packed).read_bytes()
    suffix = ".warc.gz" if packed else ".warc"
    urls, told, rng = [f"https://paper.example/{n}" for n in ("0", "1", "2", "wet")], list[str](), random.Random(0)
    for cut in rng.sample(range(1, len(whole) - 5), 60):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(whole[:cut])
        told.clear()
        found = [json.loads(line)["url"] for line in read_lines([path], told.append)]
        assert found == urls[: len(found)]
        # Where a record ends nothing tells of more.
        assert told or ends_with_a_record(whole[:cut], packed)


def ends_with_a_record(archive: bytes, packed: bool) -> bool:
    try:
        return (gzip.decompress(archive) if packed else archive).endswith(b"\r\n\r\n")
    except EOFError:
        return False


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "undefined", "rot13", "no-such"])
def test_a_page_in_a_charset_that_no_page_has_is_read_as_it_looks(charset: str) -> None:
    content = b"99" * 200_000
    began = time.process_time()
    assert record_files._decode(content, f"text/html; charset={charset}") == content.decode()
    assert time.process_time() - began < 0.5


def test_without_the_package_for_pages_they_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_archive(tmp_path / "a.warc", False)
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    result = run(source)
    assert result.exit_code == 3
    labels = [json.loads(line)["unspun"]["label"] for line in result.stdout.splitlines()]
    assert labels == ["unscored"] * 3 + ["clean"]
    assert "pip install 'unspun[warc]'" in result.stderr


# --- folders


def test_folders_are_read_by_name_and_hidden_files_left(tmp_path: Path) -> None:
    for name in ("b/two.jsonl", "a.jsonl.gz", ".hidden/x.jsonl", "b/.y.jsonl", "c.txt", "d.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in list_files([tmp_path, tmp_path / "c.txt"])]
    assert names == ["a.jsonl.gz", "b/two.jsonl", "d.parquet", "c.txt"]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "clean"}\n'))
    (tmp_path / "d.parquet").unlink()
    assert "left alone, other suffix (1): c.txt" in run(tmp_path).stderr
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"folder without any \.jsonl"):
        list_files([tmp_path / "empty"])


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_nothing(path: Path, tell: Any) -> Iterator[bytes]:
        raise ModuleNotFoundError("No module named 'zstandard'", name="zstandard")
        yield b""

    monkeypatch.setattr(record_files, "_read_text", read_nothing)
    source = write(tmp_path / "a.jsonl.zst", RECORDS)
    result = run(source)
    assert result.exit_code == 3
    assert f"{source}: needs another package (zstandard): pip install 'unspun[files]'" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_a_full_disk_is_told(tmp_path: Path, name: str) -> None:
    source = make_parquet(tmp_path / "a.parquet")
    (tmp_path / name).symlink_to("/dev/full")
    with start(source, "--out", tmp_path / name, stderr=subprocess.PIPE) as process:
        assert process.stderr
        told = process.stderr.read().decode()
        assert process.wait(30) == console.BROKEN
    assert "cannot be written (No space left on device); make room, or name another place" in told
    assert "Traceback" not in told
