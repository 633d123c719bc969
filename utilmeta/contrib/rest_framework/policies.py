"""REST framework's authentication, permissions and throttles around endpoints."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework import exceptions as drf
from rest_framework import permissions
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.settings import api_settings

from utilmeta.contrib.rest_framework.errors import to_http_error, translated
from utilmeta.contrib.rest_framework.requests import make_request, may_hold_token
from utilmeta.contrib.rest_framework.schemes import header_of, scheme_of, schemes_of
from utilmeta.core.api import Plugin
from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.plugins.base import Security
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.cookies import vary
from utilmeta.core.request import Request, var
from utilmeta.core.response import RawResponse
from utilmeta.utils.exceptions import ConfigError

_VIEW = "rest_framework_view"


class PolicyView(GenericAPIView):  # type: ignore[misc]
    """What policies are given as their view: an endpoint, as REST framework would have it.

    Attributes:
        api: the instance of the API class.
    """

    api: Any = None
    throttle_scope: str | None = None


class Use(Plugin):
    """Holds REST framework's policies for an API class or an endpoint, before the body is read.

    They run in REST framework's order: authentication, permissions, throttles. Who asks is then in
    `request.var.user` and `request.var.user_id`, and `request_of(request)` is REST framework's own
    request. What REST framework raises in the endpoint is answered as it would be there.
    One around an endpoint adds to those around its classes: what it does not name is left to them.

    Args:
        authentication_classes: the first that knows who asks counts; None takes the settings'.
        permission_classes: None takes the settings'.
        throttle_classes: None takes the settings'.
        queryset: for permissions that look at the model, such as `DjangoModelPermissions`.
        throttle_scope: for `ScopedRateThrottle`.
        reads_body: whether policies look at `request.data`; the body is then read before them.
    """

    authenticates = True

    def __init__(
        self,
        *,
        authentication_classes: Sequence[Any] | None = None,
        permission_classes: Sequence[Any] | None = None,
        throttle_classes: Sequence[Any] | None = None,
        queryset: Any = None,
        throttle_scope: str | None = None,
        reads_body: bool = False,
    ) -> None:
        given = {
            "authentication_classes": authentication_classes,
            "permission_classes": permission_classes,
            "throttle_classes": throttle_classes,
        }
        self._given = {name: list(found) for name, found in given.items() if found is not None}
        self._queryset = queryset
        self._throttle_scope = throttle_scope
        self._reads_body = reads_body
        self._varies: tuple[str, ...] = ()

    def prepare(self, rules: CompileRules) -> None:
        """Check that the classes can be made.

        Raises:
            ConfigError: one of them cannot.
        """
        view = self._view()
        try:
            found = view.get_authenticators()
            for make in (view.get_permissions, view.get_throttles):
                make()
        except (TypeError, ImproperlyConfigured) as exc:
            raise ConfigError(f"{self.scope}: @rest_framework.Use: {exc}") from exc
        self._varies = tuple(dict.fromkeys(header_of(scheme_of(item)) for item in found))

    def _view(self, outer: Any = None) -> Any:
        view: Any = PolicyView()
        for name in ("authentication_classes", "permission_classes", "throttle_classes"):
            default: Any = []
            if outer is None:
                default = getattr(api_settings, f"DEFAULT_{name.upper()}")
            elif name == "authentication_classes":
                default = outer.authentication_classes
            setattr(view, name, self._given.get(name, default))
        view.queryset = self._queryset
        if outer is not None and view.queryset is None:
            view.queryset = outer.queryset
        view.throttle_scope = self._throttle_scope
        view.args, view.format_kwarg = (), None
        return view

    def security(self) -> Security | None:
        """Return what proves who one is; None where nobody has to."""
        view = self._view()
        schemes = schemes_of(view.get_authenticators())
        is_open = set(view.permission_classes) <= {permissions.AllowAny}
        return None if is_open and not schemes else Security(schemes=schemes, optional=is_open)

    def finish(self, response: RawResponse, request: Request) -> None:
        """Keep caches from giving one's answer to another."""
        if request.method != "OPTIONS":
            for name in self._varies:
                vary(response, name)

    def on_request(self, request: Request, api: Any) -> Steps:
        """Yield the calls that hold the policies; that of reading the body where they need it."""
        if self._reads_body or self._may_hold_token(request):
            yield Call(request.read, twin=request.aread)
        return (yield from super().on_request(request, api))

    def _may_hold_token(self, request: Request) -> bool:
        """Return whether Django looks into a form for the token against CSRF."""
        if not may_hold_token(request):
            return False
        kinds = self._view().authentication_classes
        return any(
            isinstance(kind, type) and issubclass(kind, SessionAuthentication) for kind in kinds
        )

    def process_request(self, request: Request, api: Any) -> None:
        """Hold the policies.

        Raises:
            HttpError: one of them refuses the request.
        """
        outer = request.context.get(_VIEW)
        view = self._view(outer)
        view.api = api
        view.kwargs = dict(request.path_params)
        if outer is None or "authentication_classes" in self._given:
            view.request = make_request(request, view.get_authenticators(), view)
        else:
            view.request = outer.request
        with translated(lambda: _challenge(view)):
            view.perform_authentication(view.request)
            _tell(request, view.request)
            view.check_permissions(view.request)
            view.check_throttles(view.request)
        if outer is not None:
            # Rows are asked about with the outer permissions too.
            view.permission_classes = [*outer.permission_classes, *view.permission_classes]
        request.context[_VIEW] = view

    def handle_error(self, error: Any, api: Any) -> None:
        """Raise what REST framework raised in the endpoint as it is answered there.

        Raises:
            HttpError: it raised an exception that is an answer.
        """
        view = error.request.context.get(_VIEW)
        if isinstance(error.exception, drf.APIException) and view is not None:
            raise to_http_error(error.exception, _challenge(view)) from error.exception


def _challenge(view: Any) -> str | None:
    found = view.get_authenticate_header(view.request)
    return None if found is None else str(found)


def _tell(request: Request, made: Any) -> None:
    """Tell the request, and Django's own below it, who asks."""
    if made.successful_authenticator is None:
        return
    user = made.user
    var.user.set(request, user)
    var.user_id.set(request, getattr(user, "pk", None))
    native = request.adaptor
    if isinstance(native, HttpRequest):
        native.user = user


def check_object_permissions(request: Request, obj: Any) -> None:
    """Refuse a request whose permissions do not hold for a row; may wait, as `Use` may.

    Args:
        request: a request of an endpoint with `@rest_framework.Use(...)` around it.
        obj: the row.

    Raises:
        HttpError: 403, or 401 to those who are not known.
        ConfigError: no `Use` is around the endpoint.
    """
    view = request.context.get(_VIEW)
    if view is None:
        raise ConfigError(
            "check_object_permissions: the request has no permissions of REST framework's; put "
            "@rest_framework.Use(permission_classes=[...]) around the endpoint"
        )
    with translated(lambda: _challenge(view)):
        view.check_object_permissions(view.request, obj)
