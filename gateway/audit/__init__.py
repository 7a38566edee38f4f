"""The audit log: who changed what, chained so that nobody can change it afterwards without being noticed."""
