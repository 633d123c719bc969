"""Commands: Django management commands and the `utilmeta` command."""
