"""How a body is to be read, worked out from the arguments it stands for."""

import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from utilmeta.core.api.arguments import adapter_of, default_maker, typed_dict, wire_name
from utilmeta.core.api.bodies import BodyReader, Choice
from utilmeta.core.api.foreign import FormFields, foreign_in
from utilmeta.core.api.signature import Argument
from utilmeta.core.file import File
from utilmeta.core.request.params import Param, ParamKind, as_param
from utilmeta.core.request.query import decode
from utilmeta.core.request.request import MULTIPART, URLENCODED
from utilmeta.core.request.shapes import TEXT, FieldReader, shape_of
from utilmeta.core.response.finish import JSON
from utilmeta.utils.annotations import (
    SEQUENCES,
    member_names,
    strip_optional,
    takes_others,
    union_members,
)
from utilmeta.utils.exceptions import ConfigError

_annotated: Any = typing.Annotated


def make_body_reader(
    arguments: list[Argument], where: str, max_size: int | None = None
) -> BodyReader | None:
    """Return the reader of an operation's body, None when it takes none.

    Args:
        arguments: those whose place is the body.
        where: the endpoint, for messages.
        max_size: bytes, where the endpoint says so.

    Raises:
        ConfigError: two arguments are the whole body, or a type cannot be validated.
    """
    if not arguments:
        return None
    wholes = [item for item in arguments if item.param is not None and item.param.whole]
    if len(wholes) > 1:
        names = " and ".join(repr(item.name) for item in wholes)
        raise ConfigError(f"{where}: {names} are both the whole body")
    others = [item for item in arguments if item not in wholes and item.owner]
    if wholes and others:
        raise ConfigError(
            f"{where}: {wholes[0].name!r} is the whole body, so the hook "
            f"{others[0].owner.partition(' ')[2]} cannot take {others[0].name!r} as a part of it; "
            "read self.request.data there"
        )
    if wholes and len(arguments) > 1:
        raise ConfigError(
            f"{where}: {wholes[0].name!r} is the whole body, so no other argument can be a part "
            "of it; put those into its class"
        )
    if not wholes:
        optional = all(item.has_default for item in arguments)
        is_slow = any(foreign_in(item.annotation) is not None for item in arguments)
        return _reader(
            None,
            (_members(arguments, where),),
            max_size,
            default=dict if optional else None,
            waits=is_slow,
        )
    argument = wholes[0]
    param = argument.param
    assert param is not None  # noqa: S101 - picked by it
    limit = param.max_bytes if param.max_bytes is not None else max_size
    is_slow = foreign_in(argument.annotation) is not None
    make = _foreign_choices if is_slow else _choices
    choices = tuple(make(argument, param, where))
    return _reader(argument.key, choices, limit, default=default_maker(argument), waits=is_slow)


def _reader(
    name: str | None,
    choices: tuple[Choice, ...],
    limit: int | None,
    *,
    default: Callable[[], object] | None,
    waits: bool = False,
) -> BodyReader:
    exact: dict[str, Choice] = {}
    for choice in choices:
        for media_type in choice.media_types:
            if not media_type.endswith("/*"):
                exact.setdefault(media_type, choice)
    return BodyReader(
        name=name, choices=choices, limit=limit, make_default=default, waits=waits, exact=exact
    )


def _members(arguments: list[Argument], where: str) -> Choice:
    """Return how a body is read whose members are arguments of their own."""
    form = typed_dict("Body", arguments)
    is_form = any(item.param is not None and item.param.form for item in arguments)
    files = [item for item in arguments if holds_file(item.annotation)]
    if not (is_form or files):
        return Choice(
            kind="json", media_types=(JSON,), annotation=form, adapter=adapter_of(form, where)
        )
    members = {wire_name(item): item.annotation for item in arguments}
    return _form_choice(form, members, where, only_parts=bool(files))


def _form_choice(
    annotation: Any, members: Mapping[str, Any] | None, where: str, *, only_parts: bool
) -> Choice:
    shapes = {name: shape_of(hint) for name, hint in (members or {}).items()}
    # A dictionary, or a model that says so, takes fields that are not named.
    others = TEXT if members is None or takes_others(annotation) else None
    return Choice(
        kind="form",
        media_types=(MULTIPART,) if only_parts else (URLENCODED, MULTIPART),
        annotation=annotation,
        adapter=adapter_of(annotation, where),
        encoded=FieldReader(
            shapes,
            decode=decode,
            split=lambda found: [decode(value) for value in found],
            others=others,
        ),
        parts=FieldReader(shapes, decode=lambda value: value, split=list, others=others),
    )


class _AsSent:
    """Reads a form for a class that makes of it what it likes.

    Args:
        decode: from a field's value to text.
    """

    def __init__(self, decode: Callable[[Any], Any]) -> None:
        self._decode = decode

    def read(self, fields: Mapping[str, list[Any]]) -> FormFields:
        """Return the fields, decoded."""
        return FormFields({name: [*map(self._decode, found)] for name, found in fields.items()})


def _foreign_choices(argument: Argument, param: Param, where: str) -> Iterator[Choice]:
    """Yield the ways a body of a foreign class may be sent."""
    form = foreign_in(argument.annotation)
    assert form is not None  # noqa: S101 - the caller has looked
    forms = {URLENCODED, MULTIPART}
    given = param.content_types or tuple(
        item for item in form.media_types if item in forms or not param.form
    )
    whole = _annotated[argument.annotation, param.field_info(default=argument.default)]
    adapter = adapter_of(whole, where)
    as_json = tuple(item for item in given if item not in forms)
    if as_json:
        yield Choice(kind="json", media_types=as_json, annotation=whole, adapter=adapter)
    if len(as_json) < len(given):
        yield Choice(
            kind="form",
            media_types=tuple(item for item in given if item in forms),
            annotation=whole,
            adapter=adapter,
            encoded=_AsSent(decode),
            parts=_AsSent(lambda value: value),
        )


def _choices(argument: Argument, param: Param, where: str) -> Iterator[Choice]:
    """Yield the ways a whole body may be sent, by the members of its type."""
    members = union_members(argument.annotation)
    groups: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
    for member in members:
        own = _marked(member)
        kind, media_types = _kind_of(member, own or param, where)
        groups.setdefault((kind, media_types), []).append(member)
    if len(groups) > 1 and param.content_types:
        raise ConfigError(
            f"{where}: {argument.name!r} has types of several kinds, so each needs a content type "
            "of its own; write Annotated[T, request.Body(content_type=...)] | ..."
        )
    # What takes any media type comes last.
    for (kind, media_types), found in sorted(groups.items(), key=lambda item: not item[0][1]):
        union: Any = typing.Union[tuple(found)]  # noqa: UP007 - of a list
        yield _choice(kind, media_types, union, argument, param, where)


def _marked(member: Any) -> Param | None:
    if typing.get_origin(member) is not typing.Annotated:
        return None
    markers = [item for item in typing.get_args(member)[1:] if isinstance(item, Param | ParamKind)]
    return as_param(markers[-1]) if markers else None


def _choice(
    kind: str,
    media_types: tuple[str, ...],
    annotation: Any,
    argument: Argument,
    param: Param,
    where: str,
) -> Choice:
    whole = _annotated[annotation, param.field_info(default=argument.default)]
    if kind == "form":
        members = member_names(strip_optional(annotation))
        return _form_choice(whole, members, where, only_parts=URLENCODED not in media_types)
    needs = kind in {"json", "file"} or (kind == "text" and bool(param.constraints))
    return Choice(
        kind=kind,
        media_types=media_types,
        annotation=annotation,
        adapter=adapter_of(whole, where) if needs else None,
    )


def _kind_of(annotation: Any, param: Param, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of body a type stands for and the media types it is sent as."""
    bare = strip_optional(annotation)
    origin = typing.get_origin(bare) or bare
    given = param.content_types
    if origin in (Iterator, AsyncIterator):
        return "stream", given
    if isinstance(origin, type) and issubclass(origin, File):
        return "file", given or origin.accepts
    if origin is bytes:
        return "bytes", given
    is_form = param.form or any(item in {URLENCODED, MULTIPART} for item in given)
    if is_form or holds_file(bare):
        if member_names(bare) is None and origin is not dict:
            raise ConfigError(
                f"{where}: a form has named fields, so its type is a model, a dataclass, a typed "
                "dictionary or a dict; take single fields with request.FormParam"
            )
        return "form", given or ((MULTIPART,) if holds_file(bare) else (URLENCODED, MULTIPART))
    if origin is str and JSON not in given:
        return "text", given or ("text/plain",)
    return "json", given or (JSON,)


def holds_file(annotation: Any, seen: tuple[Any, ...] = ()) -> bool:
    """Return whether a type is, or holds, a file."""
    bare = strip_optional(annotation)
    origin = typing.get_origin(bare) or bare
    if isinstance(origin, type) and issubclass(origin, File):
        return True
    if bare in seen or len(seen) > 8:
        return False
    parts = union_members(bare)
    if len(parts) > 1:
        return any(holds_file(item, (*seen, bare)) for item in parts)
    if origin in SEQUENCES:
        return any(holds_file(item, (*seen, bare)) for item in typing.get_args(bare))
    members = member_names(bare)
    return members is not None and any(holds_file(hint, (*seen, bare)) for hint in members.values())
