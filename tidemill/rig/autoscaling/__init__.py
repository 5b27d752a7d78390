"""A local EC2 Auto Scaling API over the rig's group: the AWS query protocol on one port."""
