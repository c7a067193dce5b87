"""Four detectors that find and name the chromosomes of a cell (Hamza 2020)."""
