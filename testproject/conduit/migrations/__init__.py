"""Database migrations of the Conduit app."""
