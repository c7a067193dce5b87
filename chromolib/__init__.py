"""A thin library under four reproducible studies of chromosome images."""

import os

__version__ = "0.1.0"

# TensorFlow leaves oneDNN out on processors without AVX-512, where a detector then
# learns at 0.6 of the speed. Read when TensorFlow is imported; who sets it, decides.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
