"""The Python client: models by datamodel-code-generator, methods of ours, and a runtime that is copied into every package."""
