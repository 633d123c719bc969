"""`python -m utilmeta`: the same as the `utilmeta` command."""

from utilmeta.management.cli import main

main()
