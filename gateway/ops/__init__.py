"""The gateway's own API, /ops/gateway/v1: who may call, what was decided and why, what is in force."""
