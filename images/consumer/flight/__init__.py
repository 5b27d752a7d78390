"""Messages in flight: what is known of each, until when SQS hides it, and how it is settled."""
