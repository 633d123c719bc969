"""Query strings and cookies, taken apart."""

from urllib.parse import unquote_to_bytes

from utilmeta.utils.exceptions import BadRequest


def parse_query(query: str, *, max_fields: int, what: str = "query") -> dict[str, list[str]]:
    """Return each name's values, still encoded, in the order they came.

    Values stay encoded so that a list can be divided at its commas before `%2C` becomes one;
    `decode` turns them into text.

    Raises:
        BadRequest: there are more than `max_fields` fields, or a name is not UTF-8.
    """
    values: dict[str, list[str]] = {}
    if not query:
        return values
    if query.count("&") >= max_fields:
        raise BadRequest(f"The {what} has more than {max_fields} fields")
    for field in query.split("&"):
        if field:
            name, _, value = field.partition("=")
            values.setdefault(decode(name), []).append(value)
    return values


def decode(text: str) -> str:
    """Return a query name or value as text: `+` is a space, percent-encoding is undone once.

    Raises:
        BadRequest: the result is not UTF-8, or holds a NUL character.
    """
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text and text.isascii() and "\x00" not in text:
        return text
    if "%00" in text or "\x00" in text:
        raise BadRequest("The query holds a NUL character")
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError as exc:
        raise BadRequest("The query is not UTF-8") from exc


def split_list(values: list[str]) -> list[str]:
    """Return the items of repeated and comma-separated values, decoded."""
    return [decode(item) for value in values for item in value.split(",") if item]


def parse_cookies(header: str) -> dict[str, str]:
    """Return cookies by name; the first of a repeated name wins (RFC 6265 section 5.4).

    Pairs that are no cookies are left out, as a stranger's cookie must not fail a request.
    """
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, separator, value = pair.strip().partition("=")
        if not separator or not name:
            continue
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        cookies.setdefault(name.strip(), value)
    return cookies
