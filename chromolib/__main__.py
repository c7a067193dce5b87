"""`python -m chromolib` is the console script under its other name."""

from chromolib.cli import main

main()
