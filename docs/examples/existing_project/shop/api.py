"""The new API."""

from django.conf import settings
from django.contrib.auth.models import User
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def users(self):
        return {"users": User.objects.count(), "zone": settings.TIME_ZONE}
