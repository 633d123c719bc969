"""Composed settings joined into those a project already has: one rule for each name."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from utilmeta.core.setup.compose import DEFAULT, SERVICE, Composed
from utilmeta.utils.exceptions import ConfigError

EXISTING = "existing project"
DJANGO = "Django's default"
RANDOM_KEY = "random, made for this process"
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What is to be set, and why.

    Attributes:
        values: the settings that change or are new; all others stay as they are.
        origins: name to (rule, who set it), for every composed name.
        late: names that were set after Django had read them, so that they have no effect.
    """

    values: Mapping[str, object]
    origins: Mapping[str, tuple[str, str]]
    late: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One name in question: what the project has, what the service says.

    Attributes:
        name: the setting.
        existing: what the project itself sets, `_ABSENT` when it does not.
        composed: what the service stands for.
        named: whether the user decided the service's value so that it wins.
        production: whether the service runs in production.
    """

    name: str
    existing: Any
    composed: Any
    named: bool
    production: bool

    @property
    def absent(self) -> bool:
        """Whether the project says nothing."""
        return self.existing is _ABSENT


@dataclass(frozen=True, slots=True)
class Rule:
    """How one setting is joined.

    Attributes:
        text: the rule in words, for `manage.py utilmeta_settings`.
        decide: from a case to the value that holds afterwards.
    """

    text: str
    decide: Callable[[Case], Any]


def _add_aliases(case: Case) -> object:
    kept = {} if case.absent else {alias: item for alias, item in case.existing.items() if item}
    missing = {alias: item for alias, item in case.composed.items() if alias not in kept}
    return {**kept, **missing} if missing or case.absent else case.existing


def _append(case: Case) -> object:
    kept = [] if case.absent else list(_texts(case.name, case.existing))
    missing = [item for item in _texts(case.name, case.composed) if item not in kept]
    return [*kept, *missing] if missing or case.absent else case.existing


def _prepend(case: Case) -> object:
    kept = [] if case.absent else list(_texts(case.name, case.existing))
    missing = [item for item in _texts(case.name, case.composed) if item not in kept]
    return [*missing, *kept] if missing or case.absent else case.existing


def _keep(case: Case) -> object:
    return case.composed if case.absent else case.existing


def _keep_non_empty(case: Case) -> object:
    return case.composed if case.absent or not case.existing else case.existing


def _keep_unless_named(case: Case) -> object:
    return case.composed if case.absent or case.named else case.existing


def _debug(case: Case) -> object:
    return False if case.production else _keep(case)


def _texts(name: str, value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise ConfigError(f"{name}: expected a list of texts, got {type(value).__name__}")
    wrong = [item for item in value if not isinstance(item, str)]
    if wrong:
        raise ConfigError(f"{name}: expected texts, got {wrong[0]!r}")
    return list(value)


_ALIASES = Rule("keep each alias, add missing ones", _add_aliases)
_APPENDED = Rule("append what is missing", _append)
_PREPENDED = Rule("prepend what is missing", _prepend)
_KEPT = Rule("keep", _keep)
_KEPT_NON_EMPTY = Rule("keep unless empty", _keep_non_empty)
_UNLESS_NAMED = Rule("keep unless the user named it", _keep_unless_named)
_EXTRA = Rule("set if absent (extra)", _keep)

RULES: Mapping[str, Rule] = {
    "DATABASES": _ALIASES,
    "CACHES": _ALIASES,
    "INSTALLED_APPS": _APPENDED,
    "MIDDLEWARE": _APPENDED,
    "ALLOWED_HOSTS": _APPENDED,
    "DATABASE_ROUTERS": _PREPENDED,
    "SECRET_KEY": _KEPT_NON_EMPTY,
    "DEBUG": Rule("keep; production forces False", _debug),
    "DEFAULT_AUTO_FIELD": _UNLESS_NAMED,
    "LANGUAGE_CODE": _UNLESS_NAMED,
    "USE_I18N": _UNLESS_NAMED,
    "TIME_ZONE": _UNLESS_NAMED,
    "USE_TZ": _UNLESS_NAMED,
    "APPEND_SLASH": _UNLESS_NAMED,
    "ROOT_URLCONF": _KEPT,
    "WSGI_APPLICATION": _KEPT,
    "ASGI_APPLICATION": _KEPT,
    "LOGGING": _KEPT,
}


# What a service cannot do without, so that it is set where a project says nothing.
_NEEDED = frozenset({"INSTALLED_APPS", "ROOT_URLCONF"})


def merge(existing: Mapping[str, object] | None, composed: Composed, *, production: bool) -> Merged:
    """Join composed settings into those a project already has.

    Where the project says nothing and the user decided nothing, Django's own default stays.

    Args:
        existing: upper-case names to values that the project itself sets, Django's defaults left
            out; None for a fresh service.
        composed: what the service stands for.
        production: whether the service runs in production.

    Returns:
        What is to be set and, for every composed name, the rule and who set the value that holds.

    Raises:
        ConfigError: a composed name has no rule, a list setting holds a non-text, or `SECRET_KEY`
            is missing in production.
    """
    values: dict[str, object] = {}
    origins: dict[str, tuple[str, str]] = {}
    for name, value in composed.values.items():
        rule = _EXTRA if name in composed.extra else RULES.get(name)
        who = composed.origins[name]
        if rule is None:
            raise ConfigError(
                f"{who} sets {name}, for which there is no rule; put it into "
                "DjangoSettings(extra={...})"
            )
        own = _ABSENT if existing is None else existing.get(name, _ABSENT)
        case = Case(name, own, value, name in composed.named, production)
        if existing is not None and not _is_decided(case, who):
            origins[name] = (rule.text, DJANGO if case.absent else EXISTING)
            continue
        decided = rule.decide(case)
        if case.absent or decided != own:
            values[name] = decided
        origins[name] = (rule.text, _credit(case, decided, who))
    _secret_key(existing or {}, values, origins, production=production)
    return Merged(values=values, origins=origins)


def _is_decided(case: Case, who: str) -> bool:
    """Return whether the service's value was the user's choice, or cannot be done without."""
    if case.name == "DEBUG":
        return case.production
    return who not in {DEFAULT, SERVICE} or case.name in _NEEDED


def _credit(case: Case, decided: object, who: str) -> str:
    """Return who set the value that holds."""
    if case.absent:
        return who
    if decided == case.existing:
        return EXISTING
    return who if decided == case.composed else f"{EXISTING}, {who}"


def _secret_key(
    existing: Mapping[str, object],
    values: dict[str, object],
    origins: dict[str, tuple[str, str]],
    *,
    production: bool,
) -> None:
    if existing.get("SECRET_KEY") or values.get("SECRET_KEY"):
        return
    if production:
        raise ConfigError(
            "UtilMeta(production=True) needs a secret key: give DjangoSettings(secret_key=...), "
            "read from an environment variable"
        )
    values["SECRET_KEY"] = secrets.token_urlsafe(50)
    origins["SECRET_KEY"] = (_KEPT_NON_EMPTY.text, RANDOM_KEY)
