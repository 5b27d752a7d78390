"""IAM: what a template lets whom do, and how that differs between two versions of it."""
