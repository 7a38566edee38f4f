"""Customers: one view of each across the connected systems."""
