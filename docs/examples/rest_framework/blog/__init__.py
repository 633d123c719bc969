"""A blog that moves from REST framework."""
