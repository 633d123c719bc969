"""Readers of request bodies: which kind by which media type; built once for each operation."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pydantic
from asgiref.sync import sync_to_async

from utilmeta.core.api.arguments import Values, explain_all
from utilmeta.core.file import File
from utilmeta.core.request import Request
from utilmeta.core.request.raw import check_length
from utilmeta.core.request.request import MULTIPART
from utilmeta.core.request.shapes import Fields
from utilmeta.core.response.finish import JSON
from utilmeta.utils.exceptions import BadRequest, UnsupportedMediaType

# Bytes of a multipart body that are taken apart on the event loop itself; longer ones on a lane.
_QUICK = 64 * 1024


class ReadsFields(Protocol):
    """What makes the input of a validator of a form's fields."""

    def read(self, fields: Fields) -> dict[str, Any]:
        """Return the input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to read a body.

    Attributes:
        kind: `json`, `form`, `text`, `bytes`, `file` or `stream`.
        media_types: those it is for, `image/*` for all images; none takes any.
        annotation: type of the value.
        adapter: validates the value; None for kinds that need none.
        encoded: reads urlencoded fields; None for other kinds.
        parts: reads multipart fields; None for other kinds.
        validate_json: the adapter's own, for JSON.
    """

    kind: str
    media_types: tuple[str, ...]
    annotation: Any
    adapter: pydantic.TypeAdapter[Any] | None = None
    encoded: ReadsFields | None = None
    parts: ReadsFields | None = None
    validate_json: Callable[[bytes], Any] = field(init=False)

    def __post_init__(self) -> None:
        """Find what validates JSON, once."""
        if self.kind == "json" and self.adapter is not None:
            validator: Any = self.adapter.validator
            object.__setattr__(self, "validate_json", validator.validate_json)

    def takes(self, media_type: str | None) -> bool:
        """Return whether it is for bodies of a media type."""
        if not self.media_types:
            return True
        if media_type is None:
            return False
        if self.kind == "json" and media_type.endswith("+json") and JSON in self.media_types:
            return True
        return any(
            media_type == item or (item.endswith("/*") and media_type.startswith(item[:-1]))
            for item in self.media_types
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyReader:
    """Reads and validates the body.

    Attributes:
        name: the argument that takes it; None when its members are arguments of their own.
        choices: the ways it may be sent, by media type; the first that fits counts.
        limit: bytes; None takes the service's.
        make_default: makes the value of an empty body; None when there must be one.
        waits: whether validating may wait, and so runs on the request's lane.
        exact: choices by media type, for the usual ones.
    """

    name: str | None
    choices: tuple[Choice, ...]
    limit: int | None
    make_default: Callable[[], object] | None
    waits: bool = False
    exact: Mapping[str, Choice] = field(default_factory=dict)

    @property
    def streams(self) -> bool:
        """Whether the body may be handed over as it arrives."""
        return any(choice.kind == "stream" for choice in self.choices)

    def choose(self, request: Request) -> Choice:
        """Return the way a request's body is read.

        Raises:
            UnsupportedMediaType: its media type is none of those accepted.
        """
        # As nearly all clients spell it.
        found = self.exact.get(request.raw.header("content-type") or "")
        if found is not None:
            return found
        got = request.content_type
        found = self.exact.get(got or "")
        if found is not None:
            return found
        for choice in self.choices:
            if choice.takes(got):
                return choice
        if got is None and self.make_default is not None:
            return self.choices[0]
        if got is None and request.content_length in (None, 0) and not _is_chunked(request):
            fault = {"place": "body", "code": "missing", "expected": "a body"}
            raise BadRequest("The request is invalid", errors=[fault])
        accepted = [item for choice in self.choices for item in choice.media_types]
        raise UnsupportedMediaType(
            f"The body is {got or 'of no declared type'}, expected {' or '.join(accepted)}"
        )

    def read(self, request: Request, faults: list[dict[str, object]]) -> Values:
        """Return the arguments the body stands for; what is wrong is added to `faults`."""
        choice = self.choose(request)
        limit = self.limit_for(request)
        if choice.kind == "json":
            return self._json(choice, request.read(limit), faults)
        if choice.kind == "stream":
            return {str(self.name): bounded(request.stream(), limit)}
        if choice.kind == "file" or (choice.parts is not None and _is_multipart(request)):
            from utilmeta.core.request.forms import gather

            check_length(request.content_length, limit)
            body = gather(request.stream(), limit, request.content_length)
            if choice.kind == "file":
                return self._file(choice, request, body, faults)
            return self._form(choice, request, _parts_of(request, body), faults)
        return self._whole(choice, request, request.read(limit), faults)

    async def aread(self, request: Request, faults: list[dict[str, object]]) -> Values:
        """Return the arguments the body stands for; the async twin of `read`."""
        choice = self.choose(request)
        limit = self.limit_for(request)
        if choice.kind == "json" and not self.waits:
            return self._json(choice, await request.aread(limit), faults)
        if choice.kind == "json":
            return await self._run(self._json, choice, await request.aread(limit), faults)
        if choice.kind == "stream":
            return {str(self.name): abounded(request.astream(), limit)}
        if choice.kind == "file" or (choice.parts is not None and _is_multipart(request)):
            from utilmeta.core.request.forms import agather

            check_length(request.content_length, limit)
            body = await agather(request.astream(), limit, request.content_length)
            if choice.kind == "file":
                return self._file(choice, request, body, faults)
            if (request.content_length or _QUICK) < _QUICK:
                fields = _parts_of(request, body)
            else:
                fields = await sync_to_async(_parts_of)(request, body)
            return await self._run(self._form, choice, request, fields, faults)
        return await self._run(self._whole, choice, request, await request.aread(limit), faults)

    async def _run(self, step: Callable[..., Values], *args: Any) -> Values:
        """Return the outcome of validating, on the request's lane where it may wait."""
        return await sync_to_async(step)(*args) if self.waits else step(*args)

    def _whole(
        self, choice: Choice, request: Request, body: bytes, faults: list[dict[str, object]]
    ) -> Values:
        """Return the arguments for a body that has been read to its end."""
        if not body and self.make_default is not None and self.name is not None:
            return {self.name: self.make_default()}
        if choice.kind == "bytes":
            return {str(self.name): body}
        if choice.kind == "text":
            return self._text(choice, body, faults)
        from utilmeta.core.request.forms import parse_urlencoded

        fields = parse_urlencoded(body, max_fields=request.rules.max_fields)
        return self._form(choice, request, fields, faults)

    def _json(self, choice: Choice, body: bytes, faults: list[dict[str, object]]) -> Values:
        if not body and self.make_default is not None:
            if self.name is not None:
                return {self.name: self.make_default()}
            body = b"{}"
        try:
            value = choice.validate_json(body)
        except pydantic.ValidationError as exc:
            errors = exc.errors(include_url=False)
            if errors[0]["type"] == "json_invalid":
                raise BadRequest(f"The body is not JSON: {errors[0]['msg']}") from None
            faults.extend(explain_all(errors, root="body"))
            return {}
        return value if self.name is None else {self.name: value}

    def _text(self, choice: Choice, body: bytes, faults: list[dict[str, object]]) -> Values:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            faults.append({"place": "body", "code": "utf8", "expected": "UTF-8 text"})
            return {}
        return self._validated(choice, text, faults)

    def _file(
        self, choice: Choice, request: Request, body: Any, faults: list[dict[str, object]]
    ) -> Values:
        media_type = request.content_type or "application/octet-stream"
        file = File(body, content_type=media_type)
        request.files.append(file)
        if not file.size and self.make_default is not None:
            return {str(self.name): self.make_default()}
        return self._validated(choice, file, faults)

    def _form(
        self, choice: Choice, request: Request, fields: Fields, faults: list[dict[str, object]]
    ) -> Values:
        request.files += [
            value for values in fields.values() for value in values if isinstance(value, File)
        ]
        reader = choice.parts if _is_multipart(request) else choice.encoded
        assert reader is not None  # noqa: S101 - forms have both unless they hold files
        if not fields and self.name is not None and self.make_default is not None:
            return {self.name: self.make_default()}
        return self._validated(choice, reader.read(fields), faults)

    def _validated(self, choice: Choice, value: Any, faults: list[dict[str, object]]) -> Values:
        if choice.adapter is not None:
            try:
                value = choice.adapter.validate_python(value)
            except pydantic.ValidationError as exc:
                faults.extend(explain_all(exc.errors(include_url=False), root="body"))
                return {}
        return value if self.name is None else {self.name: value}

    def limit_for(self, request: Request) -> int | None:
        """Return the bytes the body may have."""
        return request.rules.max_body_size if self.limit is None else self.limit


def _is_chunked(request: Request) -> bool:
    return request.raw.header("transfer-encoding") is not None


def _is_multipart(request: Request) -> bool:
    return request.content_type == MULTIPART


def _parts_of(request: Request, body: Any) -> Fields:
    from utilmeta.core.request.forms import parse_multipart

    header = request.raw.header("content-type") or ""
    return parse_multipart(body, header, max_fields=request.rules.max_fields)


def bounded(source: Iterator[bytes], limit: int | None) -> Iterator[bytes]:
    """Yield chunks until they are more bytes than the limit.

    Raises:
        RequestEntityTooLarge: they are.
    """
    seen = 0
    for chunk in source:
        seen += len(chunk)
        check_length(seen, limit)
        yield chunk


async def abounded(source: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    """Yield chunks until they are more bytes than the limit; the async twin of `bounded`."""
    seen = 0
    async for chunk in source:
        seen += len(chunk)
        check_length(seen, limit)
        yield chunk
