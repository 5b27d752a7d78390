"""The pure core: alarms, policies and the group exactly as template.yaml states them."""
