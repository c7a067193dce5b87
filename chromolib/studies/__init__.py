"""The four studies and the exam of the synthetic lab, a package each."""

STUDIES = ("chromonet", "hamza", "chu", "shruti")  # in the order of the book
