"""Calls to SQS: their time, their retries, and what their answers mean."""
