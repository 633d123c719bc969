"""Who asks, how they prove it, and what they may do."""

from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.csrf import CsrfError
from utilmeta.core.auth.require import Require
from utilmeta.core.auth.row_rules import Owns, row_rule
from utilmeta.core.auth.rules import Rule, is_authenticated, rule
from utilmeta.core.auth.user import User, UserConfig

__all__ = [
    "BaseAuthentication",
    "CsrfError",
    "Identity",
    "InvalidCredentials",
    "Owns",
    "Require",
    "Rule",
    "User",
    "UserConfig",
    "is_authenticated",
    "row_rule",
    "rule",
]
