"""The command `tidemill`: its subcommands, their options, and their output on a terminal."""
