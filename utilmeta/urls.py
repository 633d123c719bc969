"""URL patterns of the running service: `path('', include('utilmeta.urls'))`."""

from django.core.exceptions import ImproperlyConfigured

from utilmeta.conf import current

_service = current.get()
if _service is None:
    raise ImproperlyConfigured(
        "utilmeta.urls: no service exists in this process; set UTILMETA_SERVICE to its dotted "
        "path, such as 'shop.service.service'"
    )

urlpatterns = _service.urlpatterns
