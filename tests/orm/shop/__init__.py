"""Models and tests of queries and writes; run by `tests/orm/test_engines.py`."""
