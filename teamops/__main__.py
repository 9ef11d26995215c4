"""Runs ``python -m teamops``."""

from teamops.cli.main import main

if __name__ == "__main__":
    main()
