"""Flask: the application's views beside a catch-all rule."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, ClassVar

from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.routing import BaseConverter, Rule

from utilmeta.core.response import RawResponse
from utilmeta.core.server.backends.flask_entrance import FlaskEntrance
from utilmeta.core.server.contract import Adapter, Handler, RunOptions
from utilmeta.core.server.gateways.entrance import Routes
from utilmeta.core.server.gateways.observed import ObservedWSGI
from utilmeta.core.server.gateways.wsgi import WSGIRequest, path_of, script_of


class _Rest(BaseConverter):
    """Everything that follows, slashes and line breaks included."""

    part_isolating = False
    regex = r"[\s\S]*?"


class _Response(FlaskResponse):
    """A response whose headers are those it was given, and no others."""

    default_mimetype = None
    autocorrect_location_header = False
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: Any) -> Any:
        """Return the headers; werkzeug's own way drops some of a 304's."""
        return self.headers


class FlaskAdapter(Adapter):
    """Serves below a rule that takes every method; Flask's own rules are more special and win."""

    name = "flask"
    package = "flask"
    asynchronous: ClassVar[bool] = False
    has_sockets: ClassVar[bool] = False
    default_port = 5000
    requirement = "utilmeta[flask]"
    app: Flask

    def __init__(self, frame: Any, app: Any = None) -> None:
        super().__init__(frame, app or Flask(frame.module_name, static_folder=None))
        self.app.debug = not frame.production if app is None else app.debug
        if frame.production:
            self.app.debug = False
        self._routes = Routes()
        self._endpoints: set[str] = set()
        self._entrance: FlaskEntrance | None = None
        self._is_observed = False

    @classmethod
    def owns(cls, app: object) -> bool:
        """Return whether an object is a Flask application."""
        return isinstance(app, Flask)

    def mount(self, route: str, handler: Handler) -> None:
        """Add a rule for the route and everything below it."""
        endpoint = f"utilmeta:{route or '/'}"
        self.app.url_map.converters.setdefault("utilmeta_rest", _Rest)

        def view(**_rest: str) -> _Response:
            raw = self.read(route)
            return self.write(handler.handle(raw))

        self.app.view_functions[endpoint] = view
        self._endpoints.add(endpoint)
        self._open_entrance()
        self._routes.add(route, handler)
        for rule in {route or "/", f"{route}/<utilmeta_rest:rest>"}:
            self.app.url_map.add(
                Rule(rule, endpoint=endpoint, strict_slashes=False, merge_slashes=False)
            )

    def _open_entrance(self) -> None:
        """Let requests be answered before the application where that changes nothing."""
        inner: Any = self.app.wsgi_app
        # What wraps the application already has to see its requests.
        if self._entrance is None and "wsgi_app" not in vars(self.app):
            self._entrance = FlaskEntrance(
                self.app, inner, self._routes, self._endpoints, self.write
            )
            inner = self.app.wsgi_app = self._entrance  # type: ignore[method-assign]
        observer = self.frame.observer()
        if observer is not None and not self._is_observed:
            self._is_observed = True
            self.app.wsgi_app = ObservedWSGI(inner, observer)  # type: ignore[method-assign]

    def entrance(self) -> str | None:
        """Return why requests go through Flask; None when they need not."""
        self._open_entrance()
        if self._entrance is None:
            return "something wraps the application's wsgi_app"
        return self._entrance.watch.reason()

    def adapt(self, route: str, handler: Handler) -> Flask:
        """Mount the handler and return the application."""
        self.mount(route, handler)
        return self.app

    def read(self, route: str) -> WSGIRequest:
        """Return the current request as a raw one."""
        environ = request.environ
        prefix = script_of(environ) + route
        return WSGIRequest(environ, prefix, path_of(environ), request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001

    def write(self, response: RawResponse) -> _Response:
        """Return Flask's response for a raw one."""
        body: Any = response.body
        native = _Response(body if isinstance(body, Iterator) else [body], response.status)
        native.headers.clear()
        native.headers.extend(response.headers)
        if response.streaming:
            native.call_on_close(response.close)
        return native

    def application(self) -> Flask:
        """Return the Flask application."""
        return self.app

    def run(self, options: RunOptions) -> None:
        """Serve with Flask's development server, several threads at once."""
        options.banner()
        extra: dict[str, Any] = {"threaded": True, "debug": self.app.debug, **options.extra}
        if options.auto_reload:
            extra.setdefault("reloader_type", "stat")
        self.app.run(options.host, options.port, use_reloader=options.auto_reload, **extra)

    def version(self) -> str:
        """Return Flask's version."""
        return version("flask")


ADAPTER = FlaskAdapter
