"""The loop in virtual time: a simulated queue and fleet under the core's own rules."""
