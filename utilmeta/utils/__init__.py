"""Tools that know neither Django nor the service."""
