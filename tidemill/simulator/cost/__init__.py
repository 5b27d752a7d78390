"""What a run costs: quantities and prices."""
