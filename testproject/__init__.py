"""Django project that the tests, the guides and the benchmarks share."""
