"""Responses as endpoints make them."""

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypedDict, TypeVar, get_args

import pydantic
from typing_extensions import Unpack, get_original_bases

from utilmeta.utils.exceptions import ConfigError, HttpError
from utilmeta.utils.exceptions.http import phrase_of

R = TypeVar("R")


class CookieOptions(TypedDict, total=False):
    """How a cookie is kept; see `Response.set_cookie`."""

    max_age: int | None
    path: str
    domain: str | None
    secure: bool | None
    http_only: bool
    same_site: str | None


class Response(Generic[R]):
    """An answer with a status, headers and cookies of its own, and a template when subclassed.

    A subclass that sets one of the keys is a template: what endpoints below it return is sent as an
    object with exactly the keys it names. `Response[T]`, or an annotation `result: T`, tells the
    type of the result.

    Attributes:
        status: the status; None means 200, or 204 without a result.
        content_type: media type of the body; None follows the kind of the result.
        result_key: key of the result in the object.
        message_key: key of the message: `''` unless the response or an error has one.
        state_key: key of the state, a project's own code; null unless given.
        count_key: key of the count, such as the number of all rows; null unless given.
        errors_key: key of the faults of an invalid request; null without any.
        name: short name, for the API's description.
        description: what it means, for the API's description.
        strict: whether results are converted to the declared type; one that does not fit is 500.

    Args:
        result: the value to send.
        status: the status.
        headers: further header fields.
        cookies: names and values, set as `set_cookie` does.
        message: text for people.
        state: a project's own code.
        count: a number that goes with the result.
        error: the exception the answer stands for; gives status and message where none is given.
        file: path or open binary file that is the body.
        attachment: True or a file name to be saved under; for browsers.
        content_type: media type of the body.
        event_stream: a generator of server-sent events that is the body.
    """

    status: int | None = None
    content_type: str | None = None
    result_key: ClassVar[str | None] = None
    message_key: ClassVar[str | None] = None
    state_key: ClassVar[str | None] = None
    count_key: ClassVar[str | None] = None
    errors_key: ClassVar[str | None] = None
    name: ClassVar[str | None] = None
    description: ClassVar[str | None] = None
    strict: ClassVar[bool] = False
    # Worked out when a subclass is made.
    keys: ClassVar[tuple[tuple[str, str], ...]] = ()

    result: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Work out the template.

        Raises:
            ConfigError: a key is no text, or two are the same.
        """
        super().__init_subclass__(**kwargs)
        parts = ("result", "message", "state", "count", "errors")
        found = [(part, getattr(cls, f"{part}_key")) for part in parts]
        cls.keys = tuple((part, key) for part, key in found if key is not None)
        names = [key for _, key in cls.keys]
        if any(not isinstance(key, str) or not key for key in names):
            raise ConfigError(f"{cls.__qualname__}: a key is no text: {names}")
        if len(set(names)) < len(names):
            raise ConfigError(f"{cls.__qualname__}: two of its keys are the same: {names}")
        if cls.strict and result_type(cls) is None and not getattr(cls, "__parameters__", ()):
            raise ConfigError(
                f"{cls.__qualname__}: strict needs a type; annotate 'result: T', or Response[T]"
            )

    def __init__(
        self,
        result: R | Any = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        message: str | None = None,
        state: object = None,
        count: int | None = None,
        error: BaseException | None = None,
        *,
        file: Any = None,
        attachment: bool | str = False,
        content_type: str | None = None,
        event_stream: "Iterable[Any] | AsyncIterable[Any] | None" = None,
    ) -> None:
        given = [item for item in (result, file, event_stream) if item is not None]
        if len(given) > 1:
            raise ConfigError(
                f"{type(self).__name__}: give one of result, file and event_stream, as each is "
                "the body"
            )
        self.result = result
        self.file = Path(file) if isinstance(file, str) else file
        self.attachment = attachment
        self.event_stream = event_stream
        self.message = message
        self.state = state
        self.count = count
        self.error = _exception_of(error)
        ours = self.error if isinstance(self.error, HttpError) else None
        self.faults: Sequence[object] = () if ours is None else ours.errors
        if status is not None:
            if status not in range(200, 600):
                raise ValueError(
                    f"{type(self).__name__}(status={status!r}): expected a number from 200 to 599"
                )
            self.status = status
        elif self.error is not None and self.status is None:
            self.status = self.error.status_code if isinstance(self.error, HttpError) else 500
        if content_type is not None:
            self.content_type = content_type
        self.headers = dict(headers or {})
        self.cookies: list[tuple[str, str, CookieOptions]] = []
        for name, value in (cookies or {}).items():
            self.set_cookie(name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status or 'default'}>"

    def set_cookie(self, name: str, value: str = "", **options: Unpack[CookieOptions]) -> Self:
        """Add a `Set-Cookie` line, and return the response.

        Args:
            name: letters, digits and other token characters.
            value: percent-encoded where a cookie value may not hold a character.
            **options: `max_age` seconds (None until the browser closes); `path` where it is sent
                back (`/`); `domain` hosts it is sent back to (None only the one that set it);
                `secure` over https only (None: in production); `http_only` hidden from scripts
                (True); `same_site` `Lax` (default), `Strict`, `None` as text, or None.

        Raises:
            TypeError: an option is unknown.
        """
        unknown = set(options) - set(CookieOptions.__annotations__)
        if unknown:
            raise TypeError(f"set_cookie: unknown option {', '.join(sorted(unknown))}")
        self.cookies.append((name, value, options))
        return self

    def delete_cookie(self, name: str, *, path: str = "/", domain: str | None = None) -> Self:
        """Add a `Set-Cookie` line that makes the browser forget a cookie."""
        return self.set_cookie(name, "", max_age=0, path=path, domain=domain)

    def members(self) -> dict[str, object]:
        """Return the object that the template's keys make of this response."""
        message = self.message
        if message is None and self.error is not None:
            # The text of another exception is not for clients.
            ours = self.error if isinstance(self.error, HttpError) else None
            message = phrase_of(self.status or 500) if ours is None else ours.message
        parts: dict[str, object] = {
            "result": self.result,
            "message": message or "",
            "state": self.state,
            "count": self.count,
            "errors": self.faults or None,
        }
        return {key: parts[part] for part, key in self.keys}


def _exception_of(error: Any) -> BaseException | None:
    """Return the exception of an error, which a `handle` hook is given, or of itself."""
    return error if error is None or isinstance(error, BaseException) else error.exception


def result_type(cls: type[Response[Any]]) -> Any:
    """Return the declared type of a response's result, None without one."""
    for base in cls.__mro__:
        if base is Response:
            break
        hints = vars(base).get("__annotations__", {})
        if "result" in hints:
            return _hint(base, "result")
        for generic in get_original_bases(base):
            arguments = [item for item in get_args(generic) if not isinstance(item, TypeVar)]
            if arguments:
                return arguments[0]
    return None


def headers_type(cls: type[Response[Any]]) -> Any:
    """Return the declared type of a response's headers, for its description; None without one."""
    for base in cls.__mro__:
        if base is not Response and "headers" in vars(base).get("__annotations__", {}):
            return _hint(base, "headers")
    return None


def _hint(cls: type, name: str) -> Any:
    from typing import get_type_hints

    return get_type_hints(cls)[name]


# What validators are told of a result, in which fields may be that clients cannot set.
ANSWER = {"utilmeta_answer": True}


def make_checker(kind: Any, where: str) -> Any:
    """Return the function that converts results of a strict template.

    Raises:
        ConfigError: the type cannot be validated.
    """
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(kind)
        return partial(adapter.validate_python, context=ANSWER)
    except (pydantic.errors.PydanticUserError, TypeError, ValueError) as exc:
        raise ConfigError(f"{where}: the type of the result cannot be validated: {exc}") from exc
