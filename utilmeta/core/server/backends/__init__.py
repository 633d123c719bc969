"""One adapter for each framework; each is the only place that imports it."""
