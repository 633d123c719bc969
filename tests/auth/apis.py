"""API classes that several modules of tests call."""

from typing import Any

from tests.auth.project.models import Account
from utilmeta.core import api, request


def account_api(users: Any, model: Any = Account) -> type[api.API]:
    """Return an API where a user logs in, is told and changes something, and logs out."""

    class AccountAPI(api.API):
        @api.post
        def login(self, name: str = request.BodyParam, password: str = request.BodyParam) -> str:
            return "yes" if users.login(self.request, name, password) else "no"

        @api.get
        def me(self, user: model = users) -> str:
            return user.username

        @api.get
        def maybe(self, user: model | None = users) -> str:
            return user.username if user else "nobody"

        @api.post
        def change(self, user: model = users) -> str:
            return user.username

        @api.post
        def logout(self) -> None:
            users.logout(self.request)

    return AccountAPI
