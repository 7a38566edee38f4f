"""What goes wrong, in Salesforce's words: an array of {message, errorCode, fields} with the HTTP status that goes with it."""

from typing import Any


class ApiError(Exception):
    """One refusal. `fields` appears on the wire only for errors about fields, as Salesforce has it."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields, self.extra = status, code, message, fields, extra

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code} | self.extra
        return [error if self.fields is None else error | {"fields": self.fields}]

    def result(self) -> dict[str, Any]:
        """The same inside a collection's or tree's result, where the code is called statusCode."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class SeveralRecords(ApiError):
    """300: an external id matches more than one record; on the wire the body is their URLs."""

    def __init__(self, sobject: str, found: list[str]) -> None:
        message = f"more than one record found for external id field: {found}"
        super().__init__(300, "DUPLICATE_EXTERNAL_ID", message, [])
        self.sobject, self.found = sobject, found


COLUMN_HINT = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
TYPE_HINT = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def deleted() -> ApiError:
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])


def method_not_allowed(method: str, allowed: str) -> ApiError:
    return ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def session_invalid() -> ApiError:
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def limit_exceeded() -> ApiError:
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def locked() -> ApiError:
    return ApiError(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])


def unexpected() -> ApiError:
    return ApiError(
        500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1000-1 (-1)"
    )


def no_column(name: str, sobject: str) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")


def parse_error(message: str) -> ApiError:
    return ApiError(400, "JSON_PARSER_ERROR", message)


def missing(fields: list[str]) -> ApiError:
    return ApiError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(fields)}]", fields)


def integrity(message: str, fields: list[str]) -> ApiError:
    return ApiError(400, "FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {message}", fields)


def duplicate(field: str, other: str) -> ApiError:
    return ApiError(
        400, "DUPLICATE_VALUE", f"duplicate value found: {field} duplicates value on record with id: {other[:15]}", []
    )


def bad_reference() -> ApiError:
    return ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
