"""`python -m miagym`: the command line where no script is on the path."""

from miagym.cli import main

if __name__ == "__main__":
    main()
