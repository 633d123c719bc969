"""Swagger UI, as its makers publish it; see README.md beside this file."""
