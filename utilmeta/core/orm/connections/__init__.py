"""Database connections: how they are declared, kept, checked, and what is said when one is away."""
