"""Finding chromosomes in an image, and how well they were found."""
