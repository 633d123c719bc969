"""Sessions: what a browser's cookie stands for is kept on the server."""
