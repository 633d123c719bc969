"""Header fields and cookies, checked before they are sent."""

from urllib.parse import quote

from utilmeta.utils.exceptions import ConfigError

# Characters of a cookie value (RFC 6265 section 4.1.1, cookie-octet) that quote() would encode.
_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def check_header(name: str, value: str) -> str:
    """Return the header's value when it can be sent.

    Raises:
        ValueError: name or value hold a line break or another character they may not hold.
    """
    text = str(value)
    if any(
        (ord(char) < 32 and char != "\t") or ord(char) == 127 or ord(char) > 255 for char in text
    ):
        raise ValueError(f"header {name!r}: {text!r} holds a character that no header may hold")
    if (
        not name
        or not name.isascii()
        or not all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in name)
    ):
        raise ValueError(f"{name!r} is no header name")
    return text


def cookie_line(
    name: str,
    value: str = "",
    *,
    max_age: int | None = None,
    path: str = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = True,
    same_site: str | None = "Lax",
) -> str:
    """Return the value of a `Set-Cookie` header; see `Response.set_cookie`.

    Raises:
        ValueError: the name, path or domain cannot stand in a cookie.
    """
    for part in (name, path, domain or "", same_site or ""):
        if not part.isascii() or not part.isprintable() or ";" in part:
            raise ValueError(f"set_cookie: {part!r} cannot stand in a cookie")
    if not name or any(char in name for char in "=, "):
        raise ValueError(f"set_cookie: {name!r} is no cookie name")
    attributes = [f"{name}={quote(value, safe=_COOKIE_SAFE)}"]
    if max_age is not None:
        attributes.append(f"Max-Age={max_age}")
    if domain:
        attributes.append(f"Domain={domain}")
    attributes.append(f"Path={path}")
    if secure:
        attributes.append("Secure")
    if http_only:
        attributes.append("HttpOnly")
    if same_site:
        attributes.append(f"SameSite={same_site}")
    return "; ".join(attributes)


def disposition(kind: str, filename: str | None) -> str:
    """Return the value of a `Content-Disposition` header.

    Args:
        kind: `attachment` or `inline`.
        filename: the name to save under; quoted, and encoded where it is not ASCII.

    Source: RFC 6266 section 4.3, RFC 8187.
    """
    if kind not in {"attachment", "inline"}:
        raise ConfigError(f"Content-Disposition {kind!r}: expected 'attachment' or 'inline'")
    if not filename:
        return kind
    name = "".join(char for char in filename if char.isprintable())
    plain = name.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    line = f'{kind}; filename="{plain}"'
    return line if name.isascii() else f"{line}; filename*=UTF-8''{quote(name, safe='')}"
