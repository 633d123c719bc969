"""`manage.py utilmeta_routes`."""

from io import StringIO

from django.core.management import call_command

from utilmeta.conf import current
from utilmeta.core.server.runner import way_of


def routes() -> list[str]:
    """Return what the command prints, by lines."""
    out = StringIO()
    call_command("utilmeta_routes", stdout=out)
    return out.getvalue().splitlines()


def test_endpoints_are_shown_with_what_sends_them_through_django():
    head, *lines = routes()
    assert head == (
        "/api is answered through django: middleware "
        "django.contrib.sessions.middleware.SessionMiddleware"
    )
    assert "GET     /api/articles/{slug}  ArticleAPI.detail" in lines
    assert len(lines) == len(current.get().engine.operations)


def test_banner_tells_the_way():
    adapter = current.get().adapter
    assert way_of(adapter).startswith("through django: middleware ")
