wsgi_app = "server:app"
