"""Networks and what feeds them; augmentation runs inside the model graph."""
