"""Sessions of Django's, as its browsers have them."""

from django.contrib.sessions.backends.db import SessionStore
from django.middleware.csrf import get_token
from django.test import RequestFactory

from testproject.conduit.models import User

SESSIONS = {
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
}


def cookies_of(user: User) -> tuple[str, str]:
    """Return the cookies of a session, and the token that goes with them."""
    session = SessionStore()
    session.update(
        {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": user.get_session_auth_hash(),
        }
    )
    session.save()
    native = RequestFactory().get("/")
    token = get_token(native)
    return f"sessionid={session.session_key}; csrftoken={native.META['CSRF_COOKIE']}", token
