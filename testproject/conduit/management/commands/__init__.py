"""Management commands of the Conduit app."""
