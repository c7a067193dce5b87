"""Running a study: its parameters, its identity, its folder, its place in the book."""

from chromolib.runs.run import begin

__all__ = ["begin"]
