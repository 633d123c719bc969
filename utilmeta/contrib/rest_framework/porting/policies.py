"""The policies of a view, as the plugin that holds them around an API class."""

from typing import Any

from rest_framework import permissions

from utilmeta.contrib.rest_framework.porting.source import Source, call

_OPERATORS = {"AND": "&", "OR": "|"}
_HEAD = "@rest_framework.Use"


def policy_lines(view: type[Any], source: Source) -> list[str]:
    """Return the decorator that holds a view's policies; nothing for one that is open to all."""
    kinds = list(view.permission_classes)
    is_open = all(kind is permissions.AllowAny for kind in kinds)
    if is_open and not view.authentication_classes and not view.throttle_classes:
        return []
    source.need("utilmeta.contrib", "rest_framework")
    options = [
        f"{name}=[{', '.join(_spelled(kind, source) for kind in getattr(view, name))}]"
        for name in ("authentication_classes", "permission_classes", "throttle_classes")
    ]
    if getattr(view, "throttle_scope", None):
        options.append(f'throttle_scope="{view.throttle_scope}"')
    queryset = getattr(view, "queryset", None)
    if queryset is not None and any(_looks_at_model(kind) for kind in kinds):
        model = source.need_object(queryset.model)
        options.append(f"queryset={model}.{queryset.model._default_manager.name}.all()")  # noqa: SLF001
    return [call(_HEAD, options, depth=0)]


def _looks_at_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, permissions.DjangoModelPermissions)


def _spelled(kind: Any, source: Source) -> str:
    """Return a class, or classes joined by operators, as source."""
    if isinstance(kind, permissions.OperandHolder):
        operator = _OPERATORS[kind.operator_class.__name__]
        one, other = _spelled(kind.op1_class, source), _spelled(kind.op2_class, source)
        return f"({one} {operator} {other})"
    if isinstance(kind, permissions.SingleOperandHolder):
        return f"~{_spelled(kind.op1_class, source)}"
    return source.need_object(kind)
