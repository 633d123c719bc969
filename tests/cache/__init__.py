"""Tests of the use of caches, on every kind of store."""
