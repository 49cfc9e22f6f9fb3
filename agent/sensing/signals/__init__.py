"""What each system tells of whose side a messenger's instance is on; only what the policy has not switched off is read."""
