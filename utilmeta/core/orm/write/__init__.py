"""Writing schemas: what goes into which column, and in which statements."""
