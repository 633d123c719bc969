"""Measurements, each a script that says in its docstring what it compares."""
