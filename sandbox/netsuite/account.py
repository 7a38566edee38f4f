"""The sandbox account and its fixed credentials; public constants, as the sandbox guards nothing."""

ACCOUNT = "TRIV_SB1"
HOST = "triv-sb1.suitetalk.api.netsuite.com"
CLIENT_ID = "sandbox-netsuite"
CONSUMER_KEY = "sandbox-netsuite-consumer-key"
CONSUMER_SECRET = "sandbox-netsuite-consumer-secret"
TOKEN_ID = "sandbox-netsuite-token-id"
TOKEN_SECRET = "sandbox-netsuite-token-secret"
