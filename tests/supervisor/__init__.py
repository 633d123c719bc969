"""The supervisor, with programs that know nothing of services."""
