"""A Django app with the kinds of keys and relations that the test project has none of."""
