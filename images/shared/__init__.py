"""Code that both images need: message, queue, settings, quotas, errors, logs, stopping."""
