"""CloudFormation and SAM templates, read into the core's specification of a fleet."""
