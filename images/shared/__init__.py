"""Code that both images need: message, queue, settings, errors, logs, stopping."""
