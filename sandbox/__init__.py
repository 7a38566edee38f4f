"""Vendors on this machine: one stateful imitation each, speaking the vendor's wire. Imports nothing of ours."""
