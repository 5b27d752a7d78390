"""Dead letters: looking at them, sending them back, editing, exporting and deleting them."""
