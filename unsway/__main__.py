"""`python -m unsway`: the command line, as launchers of several processes start it."""

from unsway.cli import main

if __name__ == "__main__":
    main()
