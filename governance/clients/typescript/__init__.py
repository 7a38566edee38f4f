"""The TypeScript client: types by openapi-typescript, calls by openapi-fetch, and a runtime that is copied into every package."""
