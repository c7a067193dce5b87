"""What the synthetic lab is worth: its calibration, its exam, the trunk it taught."""
