"""The stories: what the business does across platforms, as decisions, transactions and batches."""
