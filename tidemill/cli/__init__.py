"""The command `tidemill`: everything that knows a terminal."""
