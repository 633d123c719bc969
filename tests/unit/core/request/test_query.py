"""Query strings and cookies."""

from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.request.query import decode, parse_cookies, parse_query, split_list
from utilmeta.utils.exceptions import BadRequest

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
name = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
MANY = 10_000


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {}),
        ("a=1", {"a": ["1"]}),
        ("a=1&a=2&b=3", {"a": ["1", "2"], "b": ["3"]}),
        ("a", {"a": [""]}),
        ("a=", {"a": [""]}),
        ("=1", {"": ["1"]}),
        ("&&a=1&", {"a": ["1"]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("a%20b+c=%2C", {"a b c": ["%2C"]}),
        ("%E4%B8%AD=1", {"中": ["1"]}),
        ("a;b=1", {"a;b": ["1"]}),
    ],
)
def test_parse_query_takes_fields_apart(query: str, values: dict[str, list[str]]):
    assert parse_query(query, max_fields=MANY) == values


@given(st.lists(st.tuples(name, text)), st.sampled_from([quote, quote_plus]))
def test_parse_query_gives_back_what_was_encoded(pairs: list[tuple[str, str]], how: object):
    wanted: dict[str, list[str]] = {}
    for key, value in pairs:
        wanted.setdefault(key, []).append(value)
    parsed = parse_query(urlencode(pairs, quote_via=how), max_fields=MANY)
    found = {key: [decode(value) for value in values] for key, values in parsed.items()}
    assert found == wanted
    assert list(found) == list(wanted)


@given(st.lists(name, min_size=1))
def test_split_list_reads_repeats_and_commas_alike(items: list[str]):
    quoted = [quote(item, safe="") for item in items]
    assert split_list([",".join(quoted)]) == items
    assert split_list(quoted) == items


def test_split_list_divides_before_decoding():
    assert split_list(["a%2Cb,c", "d"]) == ["a,b", "c", "d"]
    assert split_list([""]) == []
    assert split_list(["a,,b,"]) == ["a", "b"]


@given(st.text(st.characters(max_codepoint=255)))
def test_parse_query_of_any_bytes_is_fields_or_400(query: str):
    try:
        parsed = parse_query(query, max_fields=MANY)
        for values in parsed.values():
            split_list(values)
    except BadRequest:
        # As it must for a NUL, or for bytes that are not UTF-8.
        assert "%" in query or "\0" in query or not query.isascii()


@pytest.mark.parametrize("query", ["%FF=1", "\xff=1", "a%C3=1"])
def test_parse_query_refuses_names_that_are_not_utf8(query: str):
    with pytest.raises(BadRequest, match="UTF-8"):
        parse_query(query, max_fields=MANY)


@pytest.mark.parametrize("value", ["%00", "a%00b", "a\0b"])
def test_decode_refuses_nul(value: str):
    with pytest.raises(BadRequest, match="NUL"):
        decode(value)


@pytest.mark.parametrize("value", ["%FF", "a%C3", "\xff", "Ā"])
def test_decode_refuses_what_is_not_utf8(value: str):
    with pytest.raises(BadRequest, match="UTF-8"):
        decode(value)


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("a+b", "a b"),
        ("a%2Bb", "a+b"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("%zz", "%zz"),
        ("%", "%"),
        ("caf%C3%A9", "café"),
        ("caf\xc3\xa9", "café"),
    ],
)
def test_decode_undoes_encoding_once(value: str, decoded: str):
    assert decode(value) == decoded


@pytest.mark.parametrize(("fields", "passes"), [(1, True), (3, True), (4, False), (50, False)])
def test_parse_query_bounds_the_number_of_fields(fields: int, passes: bool):
    query = "&".join(f"a{index}=1" for index in range(fields))
    if passes:
        assert len(parse_query(query, max_fields=3)) == fields
    else:
        with pytest.raises(BadRequest, match="more than 3 fields"):
            parse_query(query, max_fields=3)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2;", {"a": "1", "b": "2"}),
        ("a=first; a=second", {"a": "first"}),
        ('a="quoted"', {"a": "quoted"}),
        ('a="', {"a": '"'}),
        ("a=x=y", {"a": "x=y"}),
        ("a=", {"a": ""}),
        ("nonsense; a=1", {"a": "1"}),
        ("=x; a=1", {"a": "1"}),
        ("a = 1 ", {"a": "1"}),
        (";;;", {}),
    ],
)
def test_parse_cookies_takes_pairs_and_leaves_the_rest(header: str, cookies: dict[str, str]):
    assert parse_cookies(header) == cookies


@given(st.text())
def test_parse_cookies_never_fails(header: str):
    parsed = parse_cookies(header)
    assert all(isinstance(key, str) and key for key in parsed)
