"""Ports: what a layer may ask of the layer below, as typed protocols."""
