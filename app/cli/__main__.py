"""`python -m app.cli` is the `penchant` command."""

from app.cli.main import main

main()
