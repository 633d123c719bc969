"""Caches of particular kinds."""
