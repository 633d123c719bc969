"""Users of `django.contrib.auth`, known to the API and to Django's own views alike."""

import os

from utilmeta import UtilMeta
from utilmeta.core import api, auth, request
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="members",
    backend=os.environ.get("BACKEND", "django"),
    port=int(os.environ.get("PORT", "8000")),
    route="/api",
)
service.use(
    DjangoSettings(
        apps=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        middleware=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
    )
)
service.use(DatabaseConnections({"default": Database(name="members.sqlite3")}))
service.setup()

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path

members = auth.User(User, authentication=DjangoSession(), scopes_field="get_all_permissions")


class RootAPI(api.API):
    @api.post
    def login(self, name: str = request.BodyParam, password: str = request.BodyParam) -> bool:
        return members.login(self.request, name, password) is not None

    @api.post
    def logout(self) -> None:
        members.logout(self.request)

    @api.get
    def me(self, user: User = members) -> str:
        return user.username

    @auth.Require("auth.view_user")
    @api.get
    def everybody(self, user: User = members) -> list[str]:
        return list(User.objects.order_by("username").values_list("username", flat=True))


class Pages:
    urls = [path("whoami", lambda asked: HttpResponse(str(asked.user)))]


service.mount(RootAPI, "/api/v1")
service.mount(Pages(), "/pages")


@service.on_startup
def make_tables():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not User.objects.exists():
        User.objects.create_user("ann", password="correct horse")
        User.objects.create_superuser("bob", password="battery staple")


app = service.application()

if __name__ == "__main__":
    service.run()
