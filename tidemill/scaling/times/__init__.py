"""Times of AWS that no template sets: their distributions, grades, sources, and calibration."""
