"""Messages beside their handling: what is around them, and copies for the dead letters."""
