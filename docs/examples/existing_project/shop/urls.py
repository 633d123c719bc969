"""The old view, the service, and a second API class at a place of its own."""

import django
from django.http import JsonResponse
from django.urls import include, path
from shop.api import RootAPI


def old(request):
    return JsonResponse({"old": True})


urlpatterns = [
    path("old/", old),
    path("", include("utilmeta.urls")),
    RootAPI.__as__(django, "/v1"),
]
