"""Compatibility: whom a new contract breaks who relied on the old one. A request may only widen, a response only narrow."""
