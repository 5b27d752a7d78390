"""Brings the workload to AWS: images into the stack's registries, their tag into the stack."""
