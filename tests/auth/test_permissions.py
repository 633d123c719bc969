"""What somebody may do, and in which order it is found out."""

import logging
from typing import Any

import pytest

from tests.auth.accounts import basic, make_account, told
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, Note
from utilmeta.conf import Preference
from utilmeta.core import api, auth, request
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.request import Request, var
from utilmeta.utils.exceptions import ConfigError

USERS = auth.User(Account, authentication=BasicAuth(), scopes_field="scopes", throttle=None)
RAN: list[str] = []


@auth.rule
def is_boss(request: Request) -> bool:
    """Say whether a superuser asks."""
    user = var.user.get(request)
    return bool(user and user.is_superuser)


@auth.rule
def is_frozen(_request: Request) -> bool:
    """Say that somebody is frozen, whose name says so."""
    return Account.objects.filter(username="frozen", pk=var.user_id.get(_request)).exists()


@auth.row_rule
def is_public(_request: Request) -> Any:
    """Say which notes all may read."""
    from django.db.models import Q

    return Q(is_public=True)


own = auth.Owns("owner")
readable = own | is_public | is_boss


class NoteAPI(api.API):
    """Notes."""

    def get(self) -> list[str]:
        return [note.slug for note in readable.scope(Note.objects.order_by("slug"))]

    @auth.Require(own.on(Note, slug="slug") & ~is_frozen, user=USERS)
    @api.put("{slug}")
    def put(self, slug: str, n: int = request.BodyParam) -> str:
        RAN.append(slug)
        return slug

    @auth.Require(readable.on(Note, hidden=True, slug="slug"), user=USERS)
    @api.get("{slug}")
    def one(self, slug: str) -> str:
        return slug

    @api.delete("{slug}")
    def remove(self, slug: str, user: Account = USERS) -> str:
        note = Note.objects.get(slug=slug)
        own.check(note)
        RAN.append(slug)
        return slug


class RootAPI(api.API):
    notes: NoteAPI

    @auth.Require("note.write")
    @api.post
    def scoped(self, n: int = request.BodyParam, user: Account = USERS) -> int:
        RAN.append("scoped")
        return n

    @auth.Require("note.write", "note.read", user=USERS, message="Ask the boss")
    @api.post
    def both(self) -> None:
        RAN.append("both")

    @auth.Require(is_boss | auth.rule(lambda request: "x-door" in request.headers), user=USERS)
    @api.post
    def either(self) -> None:
        RAN.append("either")

    @auth.Require(auth.is_authenticated & ~is_frozen, user=USERS)
    @api.post
    def warm(self) -> None:
        RAN.append("warm")

    @auth.Require("note.read")
    @api.get
    def unknown(self) -> None:
        RAN.append("unknown")


@pytest.fixture
def people(transactional_db: None) -> None:
    RAN.clear()
    ann = make_account(scopes=["note.write"])
    bob = make_account("bob", scopes=[])
    make_account("boss", is_superuser=True, scopes=["note.read", "note.write"])
    frozen = make_account("frozen")
    Note.objects.create(slug="anns", owner=ann)
    Note.objects.create(slug="bobs", owner=bob, is_public=True)
    Note.objects.create(slug="ices", owner=frozen)


@pytest.fixture
def client(serve: Serve, people: None) -> Any:
    return serve(RootAPI)


def post(client: Any, path: str, name: str | None = None, **options: Any) -> Any:
    """Return the answer to a request of somebody's."""
    headers = {} if name is None else basic(name)
    return client.post(path, headers={**headers, **options.pop("headers", {})}, **options)


def test_nobody_is_401_and_somebody_else_is_403(client: Any) -> None:
    for path in ("/scoped", "/both", "/either", "/warm"):
        answer = post(client, path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic ")
    for path, name in (("/scoped", "bob"), ("/both", "ann"), ("/either", "ann")):
        answer = post(client, path, name, json={"n": 1})
        assert answer.status_code == 403, path
        assert "www-authenticate" not in answer.headers
    assert post(client, "/warm", "frozen").status_code == 403
    assert RAN == []
    for path, name in (
        ("/scoped", "ann"),
        ("/both", "boss"),
        ("/either", "boss"),
        ("/warm", "bob"),
    ):
        assert post(client, path, name, json={"n": 1}).status_code in {200, 204}, path
    assert post(client, "/either", "ann", headers={"X-Door": "1"}).status_code == 204
    assert RAN == ["scoped", "both", "either", "warm", "either"]


def test_refusal_comes_before_the_body_is_looked_at(client: Any) -> None:
    for body in (b"{", b'{"n": "x"}', b"\xff" * 100):
        headers = {"Content-Type": "application/json"}
        statuses = [
            post(client, "/scoped", name, content=body, headers=headers).status_code
            for name in (None, "bob", "ann")
        ]
        assert statuses == [401, 403, 400]
    assert client.put("/notes/anns", json={"n": "x"}, headers=basic("bob")).status_code == 403
    assert RAN == []


def test_refusal_comes_before_the_body_is_read(client: Any) -> None:
    def body() -> Any:
        yield b'{"n": '
        yield b"1" * 10
        yield b"}"

    assert post(client, "/scoped", content=body()).status_code == 401


def test_body_that_is_too_large_is_not_asked_for_by_nobody(serve: Serve, people: None) -> None:
    client = serve(RootAPI, configs=[Preference(max_body_size=10)])
    large = b'{"n": "' + b"x" * 100 + b'"}'
    json = {"Content-Type": "application/json"}
    codes = [
        post(client, "/scoped", name, content=large, headers=json).status_code
        for name in (None, "bob", "ann")
    ]
    assert codes == [401, 403, 413]


def test_rows_of_others_are_refused(client: Any) -> None:
    def put(slug: str, name: str) -> int:
        found: int = client.put(f"/notes/{slug}", json={"n": 1}, headers=basic(name)).status_code
        return found

    assert [put("anns", "ann"), put("bobs", "ann"), put("none", "ann")] == [200, 403, 404]
    assert put("ices", "frozen") == 403
    assert client.put("/notes/anns", json={"n": 1}).status_code == 401
    assert RAN == ["anns"]


def test_hidden_rows_are_as_if_they_were_not_there(client: Any) -> None:
    def get(slug: str, name: str) -> Any:
        return client.get(f"/notes/{slug}", headers=basic(name))

    assert get("anns", "ann").text == "anns"
    assert get("bobs", "ann").text == "bobs"
    assert get("anns", "boss").text == "anns"
    hidden, absent = get("anns", "bob"), get("none", "bob")
    assert hidden.status_code == 404
    assert told(hidden) == told(absent)
    # Nobody learns nothing either.
    assert told(client.get("/notes/anns")) == told(client.get("/notes/none"))


def test_rule_checks_a_row_that_the_endpoint_has_read(client: Any) -> None:
    assert client.delete("/notes/bobs", headers=basic("ann")).status_code == 403
    assert client.delete("/notes/anns", headers=basic("ann")).text == "anns"
    assert client.delete("/notes/anns").status_code == 401
    assert RAN == ["anns"]


class ListAPI(api.API):
    def get(self, user: Account | None = USERS) -> list[str]:
        return [note.slug for note in readable.scope(Note.objects.order_by("slug"))]


def test_rule_narrows_lists(serve: Serve, people: None) -> None:
    client = serve(ListAPI)
    found = {
        name: client.get("/", headers={} if name is None else basic(name)).json()
        for name in (None, "ann", "bob", "boss")
    }
    assert found == {
        None: ["bobs"],
        "ann": ["anns", "bobs"],
        "bob": ["bobs"],
        "boss": ["anns", "bobs", "ices"],
    }


def test_scopes_without_anybody_who_says_who_it_is_let_nobody_in(client: Any) -> None:
    assert client.get("/unknown").status_code == 401
    # Right credentials that no one looks at are none.
    assert client.get("/unknown", headers=basic("boss")).status_code == 401
    assert RAN == []


def test_log_names_the_rule_always(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "utilmeta.auth")
    for path, name, rule in (
        ("/scoped", "bob", "note.write"),
        ("/both", "ann", "note.read"),
        ("/warm", "frozen", "~is_frozen"),
        ("/either", "ann", "is_boss | <lambda>"),
    ):
        caplog.clear()
        answer = post(client, path, name)
        pk = Account.objects.get(username=name).pk
        assert f"POST {path}: refused by {rule} for user {pk}" in caplog.text
        assert rule not in answer.text
    caplog.clear()
    client.put("/notes/anns", json={"n": 1}, headers=basic("bob"))
    assert "PUT /notes/anns: refused by Owns('owner')" in caplog.text


@pytest.mark.parametrize("production", [False, True])
def test_answer_names_the_rule_in_development_when_it_is_told_to(
    serve: Serve, people: None, production: bool
) -> None:
    client = serve(RootAPI, configs=[Preference(explain_refusals=True)], production=production)
    answer = post(client, "/scoped", "bob")
    assert answer.status_code == 403
    wrong = client.post("/scoped", headers=basic("bob", "wrong"))
    assert wrong.status_code == 401
    if production:
        assert "note.write" not in answer.text
        assert "password" not in wrong.text
        assert "errors" not in answer.json()
    else:
        assert answer.json()["errors"] == [{"rule": "note.write"}]
        assert "password" in wrong.json()["errors"][0]["reason"]


def test_message_of_a_refusal_is_told(client: Any) -> None:
    answer = post(client, "/both", "ann")
    assert "Ask the boss" in answer.text
    # Nobody is told how to become somebody.
    assert "Ask the boss" not in post(client, "/both").text


def test_missing_scope_is_named_in_a_bearer_challenge(serve: Serve, people: None) -> None:
    token = JsonWebToken("s" * 64)
    users = auth.User(Account, authentication=token, scopes_field="scopes")

    class BearerAPI(api.API):
        @auth.Require("note.write", user=users)
        def get(self) -> None:
            pass

    client = serve(BearerAPI)
    boss = Account.objects.get(username="boss")
    made = token.issue(users, boss, scopes=["note.read", "other"]).access_token
    answer = client.get("/", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 403
    challenge = answer.headers["www-authenticate"]
    assert challenge == 'Bearer error="insufficient_scope", scope="note.write"'
    made = token.issue(users, boss).access_token
    assert client.get("/", headers={"Authorization": f"Bearer {made}"}).status_code == 204
    # A token allows no more than its user may do.
    bob = Account.objects.get(username="bob")
    made = token.issue(users, bob, scopes=["note.write"]).access_token
    assert client.get("/", headers={"Authorization": f"Bearer {made}"}).status_code == 403


class HookedAPI(api.API):
    """Who asks is found out by a hook, as a project of old may do it."""

    @api.before("*")
    def find(self) -> None:
        name = self.request.headers.get("x-name")
        user = Account.objects.filter(username=name).first()
        if user is not None:
            var.user.set(self.request, user)
            var.user_id.set(self.request, user.pk)
            var.scopes.set(self.request, user.scopes)

    @auth.Require("note.write")
    @api.post
    def write(self) -> None:
        RAN.append("hooked")


def test_rules_know_whom_a_hook_has_found(serve: Serve, people: None) -> None:
    client = serve(HookedAPI)
    codes = [
        client.post("/write", headers={"X-Name": name}).status_code for name in ("no", "bob", "ann")
    ]
    assert codes == [401, 403, 204]
    assert RAN == ["hooked"]


@auth.Require("note.write", user=USERS)
class ClosedAPI(api.API):
    """All of it is for some."""

    @api.get
    def a(self) -> None:
        RAN.append("a")

    @auth.Require("note.read")
    @api.get
    def b(self) -> None:
        RAN.append("b")


def test_rules_of_a_class_hold_for_all_of_it(serve: Serve, people: None) -> None:
    client = serve(ClosedAPI)
    for name, codes in {None: [401, 401], "bob": [403, 403], "ann": [204, 403]}.items():
        headers = {} if name is None else basic(name)
        found = [client.get(path, headers=headers).status_code for path in ("/a", "/b")]
        assert found == codes, name
    assert client.get("/a", headers=basic("boss")).status_code == 204
    assert client.get("/b", headers=basic("boss")).status_code == 204


class WrittenAPI(api.API):
    @auth.Require(own.on(Note, slug="slug"), user=USERS)
    def get(self) -> None:
        pass


def test_rule_about_a_row_that_the_path_does_not_name_is_refused_at_set_up(serve: Serve) -> None:
    with pytest.raises(ConfigError, match="'slug', which is not in it"):
        serve(WrittenAPI)
    for wrong in ((), (own,), (3,), ("a b",), (own & is_boss,)):
        with pytest.raises(ConfigError):
            auth.Require(*wrong)
