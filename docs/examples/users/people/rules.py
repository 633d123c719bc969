"""What they may do."""

from django.db.models import Q

from utilmeta.core import auth, request


@auth.rule(is_quick=True)
def is_moderator(asked):
    return "notes.moderate" in request.var.scopes.get(asked)


@auth.row_rule
def is_public(asked):
    return Q(is_public=True)


owns = auth.Owns("owner")
may_read = owns | is_public | is_moderator
may_write = owns | is_moderator
