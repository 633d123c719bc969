"""Signing up, logging in, and notes of one's own."""

from people.access import accounts, keys, sessions, tokens
from people.models import Account, Note
from people.rules import is_moderator, may_read, may_write
from utilmeta.core import api, auth, orm, request
from utilmeta.core.auth.tokens import Tokens
from utilmeta.utils import exceptions


class AccountSchema(orm.Schema[Account]):
    id: int
    username: str
    email: str
    password: str


class AccountAPI(api.API):
    @api.post
    def signup(self, data: AccountSchema[orm.A]) -> AccountSchema:
        account = data.save().get_instance()
        accounts.login_user(self.request, account, by=sessions)
        return account

    @api.post
    def login(
        self, name: str = request.BodyParam, password: str = request.BodyParam
    ) -> AccountSchema:
        account = accounts.login(self.request, name, password, by=sessions)
        if account is None:
            raise exceptions.Unauthorized("The name or the password is wrong")
        return account

    @api.post
    def logout(self) -> None:
        accounts.logout(self.request)

    @api.get
    def me(self, account: Account = accounts) -> AccountSchema:
        return account

    @api.patch("me")
    def change(self, data: AccountSchema[orm.WP], account: Account = accounts) -> AccountSchema:
        data.pk = account.pk
        return data.save()

    @api.get
    def greeting(self, account: Account | None = accounts) -> str:
        return f"Hello, {account.username}" if account else "Hello, whoever you are"

    @api.post("keys")
    def make_key(self, scopes: list[str] = request.BodyParam, account: Account = accounts) -> str:
        _, key = keys.create(account, scopes=scopes)
        return key

    @api.delete("sessions")
    def leave_everywhere(self, account: Account = accounts) -> int:
        return sessions.revoke(account.pk)


class TokenAPI(api.API):
    def post(self, name: str = request.BodyParam, password: str = request.BodyParam) -> Tokens:
        account = accounts.authenticate(self.request, name, password)
        if account is None:
            raise exceptions.Unauthorized("The name or the password is wrong")
        return tokens.issue(accounts, account)

    @api.post
    def refresh(self, refresh_token: str = request.BodyParam) -> Tokens:
        return tokens.refresh(accounts, refresh_token)


class NoteSchema(orm.Schema[Note]):
    id: int
    owner_id: int = orm.Field(no_input=True)
    text: str
    is_public: bool
    is_flagged: bool = orm.Field(read=is_moderator, write=is_moderator)


class NoteAPI(api.API):
    account: Account | None = accounts

    def get(self) -> list[NoteSchema]:
        return may_read.scope(Note.objects.order_by("pk"))

    @auth.Require(auth.is_authenticated)
    def post(self, data: NoteSchema[orm.A]) -> NoteSchema:
        data.owner_id = self.account.pk
        return data.save()

    @auth.Require(may_read.on(Note, hidden=True, pk="id"))
    @api.get("{id}")
    def one(self, id: int) -> NoteSchema:
        return NoteSchema.init(id)

    @auth.Require(may_write.on(Note, pk="id"))
    @api.patch("{id}")
    def change(self, id: int, data: NoteSchema[orm.WP]) -> NoteSchema:
        data.pk = id
        return data.save()

    @auth.Require("notes.moderate")
    @api.delete("{id}")
    def remove(self, id: int) -> None:
        Note.objects.filter(pk=id).delete()


class RootAPI(api.API):
    accounts: AccountAPI
    tokens: TokenAPI
    notes: NoteAPI
