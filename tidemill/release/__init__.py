"""Release of the workload to AWS: deploys the stack, and pushes the images to its registries."""
