"""What is particular to the store beneath: today Django's ORM."""
