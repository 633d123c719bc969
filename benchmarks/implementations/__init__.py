"""The implementations: a module each, whose `app` a server of its kind can serve."""
