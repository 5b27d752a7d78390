"""Workers that benchmarks/failures.py compares: Tidemill, and peers in their own environment."""
