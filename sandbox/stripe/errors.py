"""What Stripe answers when it refuses: one exception, rendered as the vendor's error envelope."""

from typing import Any

_FINAL = frozenset({400, 401, 402, 403, 404, 413})  # asking again would change nothing
DOCS = "https://stripe.com/docs/error-codes/"


class Refused(Exception):
    """An error answer. `began`: the endpoint had begun to execute, so an idempotency key keeps this answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        began: bool = False,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.began = status, began
        self.headers = ({"Stripe-Should-Retry": "false"} if status in _FINAL else {}) | (headers or {})
        error: dict[str, Any] = {"message": message, "type": type}
        if code:
            error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
        if param:
            error["param"] = param
        self.error = error | more

    def body(self, request_id: str) -> dict[str, Any]:
        log = f"https://dashboard.stripe.com/test/logs/{request_id}?t=0"
        return {"error": self.error | {"request_log_url": log}}


def unauthorized(message: str, code: str | None = None) -> Refused:
    return Refused(401, message, code=code, headers={"WWW-Authenticate": 'Basic realm="Stripe"'})


def unrecognized_url(method: str, path: str) -> Refused:
    hint = "Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
    return Refused(404, f"Unrecognized request URL ({method}: {path}). {hint}")


def no_such(noun: str, id: str, param: str = "id", *, in_path: bool = False) -> Refused:
    """404 for the object a path names, 400 for one a parameter names."""
    return Refused(404 if in_path else 400, f"No such {noun}: '{id}'", code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(400, message, code=code, param=param)


def missing(param: str) -> Refused:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unknown(params: list[str]) -> Refused:
    noun = "parameter" if len(params) == 1 else "parameters"
    return invalid(f"Received unknown {noun}: {', '.join(params)}", params[0], "parameter_unknown")


def unlocatable(param: str) -> Refused:
    message = "The customer's location isn't recognized. Set a valid customer address to calculate tax automatically."
    return invalid(message, param, "customer_tax_location_invalid")


def conflict_of_state(message: str, code: str | None = None, param: str | None = None) -> Refused:
    """The parameters were fine, the object's state is not."""
    return Refused(400, message, code=code, param=param, began=True)


def card_declined(intent: dict[str, Any] | None = None) -> Refused:
    more: dict[str, Any] = {"decline_code": "generic_decline"}
    if intent is not None:
        more["payment_intent"] = intent
    return Refused(402, "Your card was declined.", code="card_declined", type="card_error", began=True, **more)


def rate_limited() -> Refused:
    message = "Request rate limit exceeded. Learn more about rate limits here: https://stripe.com/docs/rate-limits."
    return Refused(429, message, code="rate_limit", headers={"Stripe-Rate-Limited-Reason": "global-rate"})


def locked() -> Refused:
    """An object lock: the code says so, and the header that names a rate limit is absent."""
    message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it."
    return Refused(429, message, code="lock_timeout")


def server_error() -> Refused:
    message = "An unknown error occurred. If you keep seeing it, contact https://support.stripe.com/."
    return Refused(500, message, type="api_error", began=True)
