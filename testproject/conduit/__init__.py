"""The RealWorld "Conduit" domain as a plain Django app."""
