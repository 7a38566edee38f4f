"""Webhook signatures: `t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the whole whsec_ secret>`."""

import hashlib
import hmac


def stripe_signature(body: bytes, secret: str, at: int) -> str:
    """The value of the Stripe-Signature header for a body sent at a Unix time. https://docs.stripe.com/webhooks/signature"""
    signed = b"%d." % at + body
    digest = hmac.new(secret.encode("ascii"), signed, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
