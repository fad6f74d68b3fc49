"""The command line as `python -m unsway`, for launchers that start several processes."""

from unsway.cli import main

if __name__ == "__main__":
    main()
