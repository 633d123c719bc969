"""Passwords, by Django's hashers."""

from typing import Any

# Characters of a password that are hashed; a longer one is wrong (as in Django's forms).
MAX_LENGTH = 4096


def verify(user: Any, password: object, field: str) -> bool:
    """Return whether a password is a user's; without a user it takes as long, and is wrong.

    A hash of other than the preferred strength is made anew when the password is right.

    Args:
        user: the model's instance; None for an unknown user.
        password: what was sent.
        field: the model's field that holds the hash.

    Source: django.contrib.auth.hashers, which also evens out the times of weaker hashes.
    """
    from django.contrib.auth.hashers import check_password, make_password

    is_text = isinstance(password, str) and 0 < len(password) <= MAX_LENGTH
    if user is None or not is_text:
        make_password("x" if not is_text else str(password))
        return False

    def store(raw: str) -> None:
        encoded = make_password(raw)
        setattr(user, field, encoded)
        # Only this column, and no signals: nothing about the user has changed.
        type(user)._base_manager.filter(pk=user.pk).update(**{field: encoded})

    return check_password(str(password), getattr(user, field), store)


def fingerprint_of(user: Any, field: str) -> str:
    """Return what changes with a user's password, to be kept in a session."""
    own = getattr(user, "get_session_auth_hash", None)
    if own is not None:
        return str(own())
    from django.utils.crypto import salted_hmac

    value = str(getattr(user, field, ""))
    return salted_hmac("utilmeta.core.auth.session", value, algorithm="sha256").hexdigest()


def is_fingerprint_of(user: Any, field: str, known: str) -> bool:
    """Return whether a fingerprint is still that of a user's password."""
    from django.utils.crypto import constant_time_compare

    if constant_time_compare(known, fingerprint_of(user, field)):
        return True
    # Made before Django's SECRET_KEY was changed, and the old key still counts.
    older = getattr(user, "get_session_auth_fallback_hash", None)
    return older is not None and any(constant_time_compare(known, item) for item in older())
