"""Descriptions of an API that other programs read."""
