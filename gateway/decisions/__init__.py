"""What decided a call, kept for a while: receipts for those who ask, and a day's calls to try a new configuration on."""
