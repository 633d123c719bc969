"""From a service as it is configured to files that put it into production."""
