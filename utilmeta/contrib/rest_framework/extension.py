"""What the core asks of this room when it meets a class of REST framework's."""

from collections.abc import Mapping
from typing import Any

from rest_framework.serializers import BaseSerializer

from utilmeta.contrib.rest_framework.documents import make_document
from utilmeta.contrib.rest_framework.serializing import SerializerForm
from utilmeta.core.api.foreign import ForeignForm


class RestFramework:
    """Serializer classes as types, and views in the API's description."""

    def form_of(
        self, cls: type, *, many: bool, metadata: tuple[Any, ...], method: str
    ) -> ForeignForm | None:
        """Return the form of a serializer class, None for other classes."""
        if not issubclass(cls, BaseSerializer):
            return None
        return SerializerForm(cls, many=many, partial=method == "PATCH", metadata=metadata)

    def document(self, patterns: list[Any], title: str) -> Mapping[str, Any]:
        """Return the OpenAPI document of URL patterns that lead to views."""
        return make_document(patterns, title=title)


EXTENSION = RestFramework()
