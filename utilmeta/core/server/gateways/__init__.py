"""What WSGI and ASGI frameworks have in common: how a request is read and an answer written."""
