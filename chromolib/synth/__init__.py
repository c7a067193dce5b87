"""The synthetic lab: chromosomes, metaphases and karyograms with a known truth."""

from chromolib.synth.lab import cell, cells

__all__ = ["cell", "cells"]
