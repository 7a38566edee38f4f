"""What every generated client stands on: one session that keeps keys over retries, pages, proves itself and raises problems."""
