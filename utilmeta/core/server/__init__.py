"""The service, its engine and the adapters that serve it."""
