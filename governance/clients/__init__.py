"""Typed clients made of contracts: a maintained generator writes the models, the rest carries what the estate promises."""
