"""When, and how, requests are answered before Flask looks at them."""

import contextvars
import io
from collections.abc import Callable, Collection
from typing import Any

import flask.signals
from flask import Flask
from flask.ctx import AppContext, RequestContext
from flask.globals import _cv_app, _cv_request
from flask.sessions import SecureCookieSessionInterface

from utilmeta.core.response import RawResponse
from utilmeta.core.server.gateways.entrance import Reason, Routes, Watch, literal_of
from utilmeta.core.server.gateways.wsgi import Environ, WSGIRequest, written

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
        late: knows how to make it.
        is_app: whether it stands for the application's context, not for the request's.
    """

    __slots__ = ("_is_app", "_late")

    def __init__(self, late: "LateContext", *, is_app: bool) -> None:
        object.__setattr__(self, "_late", late)
        object.__setattr__(self, "_is_app", is_app)

    def _made(self) -> Any:
        return self._late.made(is_app=self._is_app)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the context itself."""
        if self._late.is_being_made:
            # Flask asks whose context there is; it is nobody's yet.
            return None
        return getattr(self._made(), name)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the context itself."""
        setattr(self._made(), name, value)

    def __enter__(self) -> Any:
        """Let the contexts be in force here and now, as `stream_with_context` does."""
        made = self._made()
        self._late.hold()
        return made

    def __exit__(self, *_error: object) -> None:
        """Let them no longer be in force here."""
        self._late.let_go()


class LateContext:
    """Flask's contexts of a request, made when `flask.request`, `g` and such are first looked at.

    They are entered in a copy of the current context variables, as they may be looked at on another
    thread, or in a task.

    Args:
        app: the application.
        environ: the request's environment.

    Attributes:
        body: the request's body, once it was read.
        is_being_made: whether they are made right now.

    Source: flask.globals and flask.ctx.RequestContext, of Flask 3.1.
    """

    __slots__ = (
        "_app",
        "_contexts",
        "_environ",
        "_held",
        "_is_over",
        "_tokens",
        "_within",
        "body",
        "is_being_made",
    )

    def __init__(self, app: Flask, environ: Environ) -> None:
        self._app = app
        self._environ = environ
        self._contexts: tuple[RequestContext, AppContext] | None = None
        self._within: contextvars.Context | None = None
        self._held: list[Any] = []
        self._is_over = False
        self.body: bytes | None = None
        self.is_being_made = False
        of_app, of_request = _Late(self, is_app=True), _Late(self, is_app=False)
        variables: Any = (_cv_app, _cv_request)
        self._tokens = (variables[0].set(of_app), variables[1].set(of_request))

    def made(self, *, is_app: bool = False) -> Any:
        """Return the request's context, or the application's."""
        if self._contexts is None:
            environ = self._environ
            if self.body is not None:
                environ = {**environ, "wsgi.input": io.BytesIO(self.body)}
            request = self._app.request_context(environ)
            self.is_being_made = True
            self._within = contextvars.copy_context()
            try:
                self._within.run(request.push)
            finally:
                self.is_being_made = False
            self._contexts = (request, self._within[_cv_app])
        return self._contexts[is_app]

    @property
    def is_made(self) -> bool:
        """Whether the contexts were looked at."""
        return self._contexts is not None

    def end(self) -> None:
        """Leave the contexts, or let a stream do so that still needs them."""
        self._is_over = True
        self._leave()

    def hold(self) -> None:
        """Let the contexts be in force here, until `let_go`, though the request may be over."""
        variables: Any = (_cv_request, _cv_app)
        pairs = zip(variables, self._contexts or (), strict=False)
        self._held.append([(variable, variable.set(context)) for variable, context in pairs])

    def let_go(self) -> None:
        """Undo the last `hold`."""
        for variable, token in self._held.pop():
            variable.reset(token)
        self._leave()

    def _leave(self) -> None:
        """Leave the contexts once nobody needs them any more."""
        if self._held or not self._is_over:
            return
        variables: Any = (_cv_app, _cv_request)
        for variable, token in zip(variables, self._tokens, strict=True):
            variable.reset(token)
        if self._contexts is not None and self._within is not None:
            self._within.run(self._contexts[0].pop, None)


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
        endpoints: names of the rules that lead to them.
        write: makes Flask's response of a raw one.
    """

    def __init__(
        self,
        app: Flask,
        inner: Callable[..., Any],
        routes: Routes,
        endpoints: Collection[str],
        write: Callable[[RawResponse], Any],
    ) -> None:
        self._app = app
        self._inner = inner
        self._routes = routes
        self._endpoints = endpoints
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
            app.config.get("TRUSTED_HOSTS"),
            app.session_interface,
            vars(app).keys().isdisjoint(_STOCK),
        )

    def _judge(self) -> Reason:
        app = self._app
        facts = self._facts()
        if any(facts[1:6]):
            return "a hook of the application, such as before_request"
        if facts[6]:
            return "a receiver of one of Flask's signals"
        for name in (*_STOCK, "wsgi_app"):
            is_own = name in vars(app) and name != "wsgi_app"
            if is_own or getattr(type(app), name) is not getattr(Flask, name):
                return f"{type(app).__name__}.{name}"
        if type(app.session_interface) is not SecureCookieSessionInterface:
            return "a session interface of the application's own"
        return self._judge_rules()

    def _judge_rules(self) -> Reason:
        app = self._app
        if app.url_map.host_matching or app.subdomain_matching or app.config.get("TRUSTED_HOSTS"):
            return "hosts that the application matches itself"
        for rule in app.url_map.iter_rules():
            is_ours = rule.endpoint in self._endpoints
            if not is_ours and self._routes.crossed_by(literal_of(rule.rule, "<")):
                return f"the application's own rule {rule.rule}"
        return None

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Answer one request."""
        if not (self._needs_flask(environ) or self.watch.reason()):
            found = self._routes.find(environ.get("PATH_INFO", ""))
            if found is not None:
                return self._answer(found[0], found[1], environ, start_response)
        return self._inner(environ, start_response)

    def _needs_flask(self, environ: Environ) -> bool:
        """Return whether a request is one that Flask itself may do something with."""
        cookies = environ.get("HTTP_COOKIE")
        return bool(
            environ.get("SCRIPT_NAME")
            # A session that is there may have to be refreshed.
            or (cookies and self._app.config["SESSION_COOKIE_NAME"] in cookies)
            or "HTTP_UPGRADE" in environ
            or "werkzeug.debug.preserve_context" in environ
        )

    def _answer(self, route: str, handler: Any, environ: Environ, start_response: Any) -> Any:
        late = LateContext(self._app, environ)
        try:
            response: RawResponse = handler.handle(EntryRequest(environ, route, late))
            if not late.is_made:
                return written(response, start_response)
            return self._processed(self._write(response))(environ, start_response)
        finally:
            late.end()

    def _processed(self, native: Any) -> Any:
        """Return Flask's response with what Flask does to it, such as saving the session."""
        try:
            return self._app.process_response(native)
        except Exception as exc:
            return self._app.handle_exception(exc)
