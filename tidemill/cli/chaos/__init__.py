"""The commands `tidemill chaos`: single faults, and plans of faults."""
