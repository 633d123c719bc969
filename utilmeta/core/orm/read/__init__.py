"""Reading schemas: from annotations to statements, from rows to records."""
