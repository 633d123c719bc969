"""Care for database connections, against databases that really go away."""
