"""The module that stands for view sets, views and serializers."""

from collections.abc import Sequence
from typing import Any

from rest_framework.generics import GenericAPIView
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from utilmeta.contrib.rest_framework.porting.schemas import SchemaWriter
from utilmeta.contrib.rest_framework.porting.source import Source
from utilmeta.contrib.rest_framework.porting.views import write_stub
from utilmeta.contrib.rest_framework.porting.viewsets import write_viewset
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.references import load_reference


def write_source(references: Sequence[str], *, what: str = "utilmeta_from_drf") -> str:
    """Return the Python source of what stands for classes of REST framework's.

    Args:
        references: dotted paths of view sets, views and serializers.
        what: where they were named, for messages.

    Raises:
        ConfigError: one does not exist, or is none of these.
    """
    source = Source(f"What stands for {', '.join(references)}; written once, to go on from.")
    if len(source.title) > 80:
        source.title = "What stands for classes of REST framework's; written once, to go on from."
    schemas = SchemaWriter(source)
    for reference in references:
        found: Any = load_reference(reference, what=what)
        # A function view holds the class that was made of it.
        found = found if isinstance(found, type) else getattr(found, "cls", found)
        if not isinstance(found, type):
            raise ConfigError(_told(what, reference, found))
        if issubclass(found, BaseSerializer):
            schemas.write(found)
        elif issubclass(found, GenericAPIView):
            write_viewset(found, source, schemas)
        elif issubclass(found, APIView):
            write_stub(found, source)
        else:
            raise ConfigError(_told(what, reference, found))
    return source.render()


def _told(what: str, reference: str, found: object) -> str:
    return (
        f"{what}: {reference!r} is {found!r}, expected a view set, a view or a serializer of REST "
        "framework's"
    )
