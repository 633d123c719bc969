"""Flask's entrance: what a project adds, and what endpoints use of Flask, is as without it."""

from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from flask import Flask
from itsdangerous import TimestampSigner

from tests.server.entering import Act, Entered, entered


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Cookies are signed with the second.
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: 1_700_000_000)
    with django_db_blocker.unblock():
        yield


def made(**config: Any) -> Flask:
    app = Flask("entered", static_folder=None)
    app.config.update(SECRET_KEY="secret", **config)
    return app


def both(
    use: Callable[[Entered], Any], prepare: Callable[[Flask], Any] | None = None, **options: Any
) -> list[Any]:
    """Return what comes of a use by the entrance, and through Flask."""
    outcomes = []
    for is_closed in (False, True):
        app = made()
        if prepare is not None:
            app = prepare(app) or app
        with entered("flask", app=app, **options) as service:
            if is_closed:
                service.close_entrance()
            outcomes.append(use(service))
    return outcomes


def assert_same(act: Callable[[Any], Any], path: str = "/api/act", **options: Any) -> Any:
    """Check that an endpoint's action has the same answer both ways."""
    Act.do = staticmethod(act)

    def use(service: Entered) -> Any:
        answer = service.get(path)
        return answer.status.upper(), sorted(answer.headers), answer.body

    first, second = both(use, **options)
    assert first == second
    return second


SEEN: list[str] = []


def see(name: str) -> None:
    SEEN.append(name)


def _tell(value: Any) -> Any:
    see("seen")
    return value


def _own_rule(app: Flask) -> None:
    app.add_url_rule("/api/hello", "own", lambda: _tell("own"))


HOOKS: dict[str, Callable[[Flask], Any]] = {
    "before_request": lambda app: app.before_request(lambda: see("seen")),
    "after_request": lambda app: app.after_request(_tell),
    "teardown_request": lambda app: app.teardown_request(lambda _exc: see("seen")),
    "teardown_appcontext": lambda app: app.teardown_appcontext(lambda _exc: see("seen")),
    "url_value_preprocessor": lambda app: app.url_value_preprocessor(lambda _e, _v: see("seen")),
    "own rule": _own_rule,
}


def _early(app: Flask, hook: Callable[[Flask], Any]) -> None:
    # Flask refuses set-up calls after its first request; dictionaries and signals it does not.
    app._got_first_request = False
    hook(app)


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS.keys())
@pytest.mark.parametrize("is_late", [False, True])
def test_flask_hook_is_honoured(hook: Callable[[Flask], Any], is_late: bool):
    SEEN.clear()
    app = made()
    if not is_late:
        hook(app)
    with entered("flask", app=app) as service:
        if is_late:
            assert service.reason is None
            assert service.get("/api/hello").body == b"world"
            _early(app, hook)
        service.get("/api/hello")
        assert SEEN == ["seen"]


@pytest.mark.parametrize(
    "name",
    ["request_started", "request_finished", "request_tearing_down", "appcontext_pushed"],
)
def test_flask_signal_is_honoured_while_it_is_connected(name: str):
    SEEN.clear()
    with entered("flask") as service:
        service.get("/api/hello")

        def receive(_sender: object, **_told: object) -> None:
            see(name)

        signal = getattr(flask, name)
        with signal.connected_to(receive, service.app):
            service.get("/api/hello")
        service.get("/api/hello")
        assert name in SEEN
        assert service.reason is None


class Wrapped:
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: Any, start_response: Any) -> Any:
        see("wrapped")
        environ["REMOTE_ADDR"] = "10.1.1.1"
        return self.inner(environ, start_response)


@pytest.mark.parametrize("is_late", [False, True])
def test_wsgi_app_that_is_wrapped_is_called(is_late: bool):
    SEEN.clear()
    app = made()
    if not is_late:
        app.wsgi_app = Wrapped(app.wsgi_app)
    Act.do = staticmethod(lambda request: str(request.ip_address))
    with entered("flask", app=app) as service:
        if is_late:
            service.get("/api/hello")
            app.wsgi_app = Wrapped(app.wsgi_app)
        assert service.get("/api/act").body == b"10.1.1.1"
        assert SEEN == ["wrapped"]


@pytest.mark.parametrize(
    "name",
    ["wsgi_app", "process_response", "full_dispatch_request", "request_context", "make_response"],
)
def test_methods_of_a_subclass_are_called(name: str):
    SEEN.clear()

    def method(self: Any, *args: Any) -> Any:
        see(name)
        return getattr(Flask, name)(self, *args)

    own = type("Own", (Flask,), {name: method})
    with entered("flask", app=own("entered")) as service:
        service.get("/api/hello")
    assert [name] == SEEN


@pytest.mark.parametrize("name", ["process_response", "full_dispatch_request"])
def test_methods_replaced_on_the_application_are_called(name: str):
    SEEN.clear()
    app = made()
    before = getattr(app, name)

    def method(*args: Any) -> Any:
        see(name)
        return before(*args)

    setattr(app, name, method)
    with entered("flask", app=app) as service:
        service.get("/api/hello")
    assert [name] == SEEN


def test_own_session_interface_is_called_for_each_request():
    from flask.sessions import SecureCookieSessionInterface

    SEEN.clear()

    class Kept(SecureCookieSessionInterface):
        def save_session(self, app: Any, session: Any, response: Any) -> None:
            see("saved")

    def prepare(app: Flask) -> None:
        app.session_interface = Kept()

    both(lambda service: service.get("/api/hello"), prepare)
    assert SEEN == ["saved", "saved"]


def test_permanent_session_is_refreshed_by_requests_that_do_not_look_at_it():
    def use(service: Entered) -> Any:
        def sign_in(_request: Any) -> str:
            flask.session["user"] = 1
            flask.session.permanent = True
            return "in"

        Act.do = staticmethod(sign_in)
        cookie = service.get("/api/act").header("set-cookie").partition(";")[0]
        return service.get("/api/hello", [("cookie", cookie)]).header("set-cookie") is not None

    assert both(use) == [True, True]


@pytest.mark.parametrize("is_late", [False, True])
def test_trusted_hosts_are_honoured(is_late: bool):
    with entered("flask", app=made()) as service:
        if is_late:
            service.get("/api/hello")
        service.app.config["TRUSTED_HOSTS"] = ["example.com"]
        assert service.get("/api/hello").status.startswith("400")


def _after(_request: Any) -> str:
    @flask.after_this_request
    def add(response: Any) -> Any:
        response.headers["X-After"] = "1"
        return response

    return "done"


def _app_context(_request: Any) -> str:
    with flask.current_app._get_current_object().app_context():
        return flask.request.path


def _application_context_of_a_module(app: Flask) -> Callable[[Any], str]:
    def act(_request: Any) -> str:
        with app.app_context():
            return flask.request.path

    return act


def _streamed(_request: Any) -> Any:
    def parts() -> Iterator[str]:
        yield "a"
        yield flask.request.path

    return flask.stream_with_context(parts())


def _copied(_request: Any) -> str:
    import threading

    found: list[str] = []

    @flask.copy_current_request_context
    def work() -> None:
        found.append(flask.request.path)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def _unencodable_session(_request: Any) -> str:
    flask.session["x"] = object()
    return "kept"


def _same_app_context(_request: Any) -> str:
    first = flask.globals.app_ctx._get_current_object()
    assert flask.request.path
    return str(first is flask.globals.app_ctx._get_current_object())


def _set_on_context(_request: Any) -> str:
    flask.globals.request_ctx.own = 1
    return str(flask.globals.request_ctx.own)


ACTS: dict[str, Callable[[Any], Any]] = {
    "request": lambda _r: f"{flask.request.path} {flask.request.endpoint}",
    "session": lambda _r: str(flask.session.setdefault("a", 1)),
    "g": lambda _r: str(flask.g.setdefault("a", 1)),
    "current_app": lambda _r: flask.current_app.name,
    "adaptor": lambda r: f"{r.adaptor.path} {r.adaptor.endpoint}",
    "url_for": lambda _r: flask.url_for("utilmeta:/api", _external=True),
    "after_this_request": _after,
    "app_context of current_app": _app_context,
    "copy_current_request_context": _copied,
    "flash": lambda _r: str(flask.flash("hello")),
    "unencodable session": _unencodable_session,
    "the same application context": _same_app_context,
    "attribute of the context": _set_on_context,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_what_endpoints_use_of_flask_is_as_without_it(act: Callable[[Any], Any]):
    assert_same(act)


def test_app_context_of_a_module_in_an_endpoint():
    def use(service: Entered) -> Any:
        Act.do = staticmethod(_application_context_of_a_module(service.app))
        return service.get("/api/act")[::2]

    first, second = both(use)
    assert second[1] == b"/api/act"
    assert first[1] == second[1]


def test_stream_with_context_is_as_without_it():
    Act.do = staticmethod(_streamed)
    first, second = both(lambda service: service.get("/api/act").body)
    assert second == b"a/api/act"
    assert first == second


def test_request_in_a_thread_with_the_context_of_an_endpoint():
    import contextvars
    from concurrent.futures import ThreadPoolExecutor

    def act(_request: Any) -> str:
        context = contextvars.copy_context()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(context.run, lambda: flask.request.path).result()

    assert assert_same(act)[2] == b"/api/act"


def test_request_in_an_endpoint_with_a_time_limit():
    Act.do = staticmethod(lambda _r: flask.request.path)
    first, second = both(lambda service: service.get("/api/timed").body)
    assert (first, second) == (b"/api/timed", b"/api/timed")


@pytest.mark.parametrize("act", [ACTS["request"], ACTS["session"], _after])
def test_request_in_an_async_endpoint(act: Callable[[Any], Any]):
    assert_same(act, "/api/async-act", asynchronous=True)


def test_test_client_keeps_the_context():
    def use(service: Entered) -> str:
        with service.app.test_client() as client:
            client.get("/api/hello")
            return flask.request.path

    assert both(use) == ["/api/hello", "/api/hello"]


@pytest.mark.parametrize(
    "headers",
    [
        [("connection", "Upgrade"), ("upgrade", "websocket")],
        [("content-length", "abc")],
        [("cookie", "session=broken")],
    ],
)
def test_odd_headers_have_the_same_answer(headers: list[tuple[str, str]]):
    first, second = both(lambda service: service.get("/api/hello", headers))
    assert (first.status.upper(), first.body) == (second.status.upper(), second.body)
