"""URL patterns of the test project: the admin, and the service beside it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("utilmeta.urls")),
]
