"""URL patterns of a project that has none of its own."""

urlpatterns: list[object] = []
