"""Verification: compares what AWS answers with what the template and the core predict."""
