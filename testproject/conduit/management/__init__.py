"""Management code of the Conduit app."""
