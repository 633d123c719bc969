"""An app whose models have what could change the text of a statement that is kept."""
