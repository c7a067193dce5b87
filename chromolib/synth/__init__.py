"""The synthetic lab: chromosomes, metaphases and karyograms with a known truth."""
