"""When, and how, requests are answered before Flask looks at them."""

import io
from collections.abc import Callable
from typing import Any

import flask.signals
from flask import Flask
from flask.ctx import RequestContext
from flask.globals import _cv_app, _cv_request

from utilmeta.core.response import RawResponse
from utilmeta.core.server.gateways.entrance import Reason, Routes, Watch, literal_of, written
from utilmeta.core.server.gateways.wsgi import Environ, WSGIRequest

# What a project may have written anew, and would then expect to be called.
_STOCK = (
    "app_context",
    "create_url_adapter",
    "dispatch_request",
    "do_teardown_appcontext",
    "do_teardown_request",
    "finalize_request",
    "full_dispatch_request",
    "handle_exception",
    "handle_user_exception",
    "make_response",
    "preprocess_request",
    "process_response",
    "request_context",
)
_SIGNALS = (
    flask.signals.appcontext_popped,
    flask.signals.appcontext_pushed,
    flask.signals.appcontext_tearing_down,
    flask.signals.got_request_exception,
    flask.signals.request_finished,
    flask.signals.request_started,
    flask.signals.request_tearing_down,
)


class _Late:
    """What stands for one of Flask's contexts until it is looked at.

    Args:
        context: knows how to make them.
        variable: where Flask looks for it.
    """

    __slots__ = ("_context", "_variable")

    def __init__(self, context: "LateContext", variable: Any) -> None:
        self._context = context
        self._variable = variable

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the context itself."""
        self._context.made()
        return getattr(self._variable.get(), name)


class LateContext:
    """Flask's contexts of a request, made when `flask.request`, `g` and such are first looked at.

    Args:
        app: the application.
        environ: the request's environment.

    Attributes:
        body: the request's body, once it was read.

    Source: flask.globals and flask.ctx.RequestContext, of Flask 3.1.
    """

    __slots__ = ("_app", "_context", "_environ", "_of_app", "_of_request", "body")

    def __init__(self, app: Flask, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._context: RequestContext | None = None
        variables: Any = (_cv_app, _cv_request)
        self._of_app = variables[0].set(_Late(self, _cv_app))
        self._of_request = variables[1].set(_Late(self, _cv_request))
        self.body: bytes | None = None

    def made(self) -> RequestContext:
        """Return the request's context, in force from now on."""
        if self._context is None:
            self._leave()
            environ = self._environ
            if self.body is not None:
                environ = {**environ, "wsgi.input": io.BytesIO(self.body)}
            self._context = self._app.request_context(environ)
            self._context.push()
        return self._context

    def _leave(self) -> None:
        _cv_request.reset(self._of_request)
        _cv_app.reset(self._of_app)

    @property
    def is_made(self) -> bool:
        """Whether the context was looked at."""
        return self._context is not None

    def end(self) -> None:
        """Leave the contexts."""
        if self._context is None:
            self._leave()
        else:
            self._context.pop(None)


class EntryRequest(WSGIRequest):
    """A raw request at the entrance of a Flask application.

    Args:
        environ: the environment.
        prefix: where the handler answers.
        late: Flask's contexts.
    """

    __slots__ = ("_late",)

    def __init__(self, environ: Environ, prefix: str, late: LateContext) -> None:
        super().__init__(environ, prefix, environ.get("PATH_INFO", ""), None)
        self._late = late

    def _late_native(self) -> Any:
        return self._late.made().request

    def read(self, limit: int | None) -> bytes:
        """Return the whole body; Flask's own request has it too."""
        body = super().read(limit)
        self._late.body = body
        return body


def _size(hooks: dict[Any, Any]) -> int:
    """Return the number of hooks; nearly always there are none."""
    return sum(map(len, hooks.values())) if hooks else 0


class FlaskEntrance:
    """Answers requests before the application, as long as nothing of it could see them.

    Args:
        app: the application.
        inner: its own way, its WSGI application.
        routes: the handlers.
        write: makes Flask's response of a raw one.
    """

    def __init__(
        self,
        app: Flask,
        inner: Callable[..., Any],
        routes: Routes,
        write: Callable[[RawResponse], Any],
    ) -> None:
        self._app = app
        self._inner = inner
        self._routes = routes
        self._write = write
        self.watch = Watch(self._facts, self._judge)

    def _facts(self) -> Any:
        app = self._app
        return (
            len(app.url_map._rules),  # noqa: SLF001 - a list of all would cost more than it saves
            _size(app.before_request_funcs),
            _size(app.after_request_funcs),
            _size(app.teardown_request_funcs),
            _size(app.url_value_preprocessors),
            len(app.teardown_appcontext_funcs),
            any(signal.receivers for signal in _SIGNALS),
        )

    def _judge(self) -> Reason:
        app = self._app
        if any(self._facts()[1:-1]):
            return "a hook of the application, such as before_request"
        if any(signal.receivers for signal in _SIGNALS):
            return "a receiver of one of Flask's signals"
        changed = [name for name in _STOCK if getattr(type(app), name) is not getattr(Flask, name)]
        if changed:
            return f"{type(app).__name__}.{changed[0]}"
        if app.url_map.host_matching or app.subdomain_matching or app.config.get("TRUSTED_HOSTS"):
            return "hosts that the application matches itself"
        for rule in app.url_map.iter_rules():
            is_ours = rule.endpoint.startswith("utilmeta:")
            if not is_ours and self._routes.crossed_by(literal_of(rule.rule, "<")):
                return f"the application's own rule {rule.rule}"
        return None

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Answer one request."""
        if not environ.get("SCRIPT_NAME") and self.watch.reason() is None:
            found = self._routes.find(environ.get("PATH_INFO", ""))
            if found is not None:
                return self._answer(found[0], found[1], environ, start_response)
        return self._inner(environ, start_response)

    def _answer(self, route: str, handler: Any, environ: Environ, start_response: Any) -> Any:
        late = LateContext(self._app, environ)
        try:
            response: RawResponse = handler.handle(EntryRequest(environ, route, late))
            if not late.is_made:
                return written(response, start_response)
            # The session, say, may have been changed.
            native = self._app.process_response(self._write(response))
            return native(environ, start_response)
        finally:
            late.end()
