"""Cases as hypothesis draws them: valid ones with some stretches changed, left out, said over or put elsewhere."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from unspun.training.fuzz.targets import Target

#: What readers of all kinds trip over.
_TOKENS: Final = (
    b"\0", b"\xff", b"\n", b" ", b'"', b"{", b"[", b"]", b"}", b"-1", b"1e999", b"NaN", b"999999999999999999999",
    b"null", b"<", b">", b"&", b"</script>", b"\xe2\x80\x8b", b"\xcc\x95\xcc\x80", b"\xed\xa0\x80", b"\xff\xff\xff\x7f",
    b"\r\n\r\n", b".", b"the ", "İ".encode(), "ﷺ".encode(), b"[" * 5000, b"a " * 500,
)  # fmt: skip
_MOST_EDITS: Final = 6


@st.composite
def draw_cases(draw: st.DrawFn, target: Target) -> bytes:
    """One case of the target."""
    case = bytearray(draw(st.sampled_from(target.make_seeds())))
    for _ in range(draw(st.integers(0, _MOST_EDITS))):
        at = draw(st.integers(0, len(case)))
        size = draw(st.sampled_from((0, 1, 2, 4, 16, 256)))
        match draw(st.sampled_from(("token", "bytes", "flip", "cut", "again", "move"))):
            case "token":
                case[at : at + size] = draw(st.sampled_from(_TOKENS))
            case "bytes":
                case[at : at + size] = draw(st.binary(max_size=16))
            case "flip" if at < len(case):
                case[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del case[at : at + size]
            case "again":
                case[at:at] = case[at : at + size] * draw(st.integers(1, 20))
            case _:
                to = draw(st.integers(0, len(case)))
                case[to:to] = case[at : at + size]
    return bytes(case[: target.longest])
