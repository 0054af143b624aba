"""`python -m sfumato` is the command line."""

from sfumato.cli.entry import main

if __name__ == "__main__":
    raise SystemExit(main())
