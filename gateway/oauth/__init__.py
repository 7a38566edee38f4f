"""The embedded authorization server: Authlib decides what OAuth says, this package keeps keys, clients and revocations."""
