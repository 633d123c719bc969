"""The settings path: from configurations to a configured Django."""
