"""The commands of `tidemill dlq`."""
