"""Django's expressions and models, with what this project adds to them."""
