"""What callers send may only widen: the ids of a demand that the old contract did not make."""

from governance.changes import bounds
from governance.changes.finding import Severity
from governance.changes.reason import Change
from governance.changes.words import ANY, Row, about_null, about_types, is_new, on, within_all_of

ERR, WARN = Severity.ERR, Severity.WARN
ASKED = (
    Row(ANY, Change.ADDED, "{of}-all-of-added", ERR, "{who} whose {what} does not fit the added part are refused", within_all_of),
    Row(on("required"), None, "new-required-{part}", ERR, "{who} who do not send {what}, which is new, are refused", is_new),
    Row(on("required"), None, "{part}-became-required", ERR, "{who} who leave out {what} are refused"),
    Row(
        on("properties"), None, "{part}-constrained", WARN, "{who} who sent something else as {what}, which was open, are refused"
    ),
    Row(on("additionalProperties"), Change.CLOSED, "{part}-removed", ERR, "{who} who send {what} are refused"),
    Row(on("type"), None, "{of}-became-not-nullable", ERR, "{who} who send null as {what} are refused", about_null),
    Row(
        on("type"),
        None,
        "{of}-list-of-types-narrowed",
        ERR,
        "{who} who send {what} as a type that is gone are refused",
        about_types,
    ),
    Row(on("type", "format", "false"), None, "{of}-type-changed", ERR, "{who} who send {what} as before are refused"),
    Row(on("enum"), Change.ADDED, "{of}-became-enum", ERR, "{who} who send {what} freely are refused"),
    Row(on("enum"), None, "{of}-enum-value-removed", ERR, "{who} who send {values} as {what} are refused"),
    Row(on("const"), Change.ADDED, "{of}-const-added", ERR, "{who} who send {what} freely are refused"),
    Row(on("const"), None, "{of}-const-changed", ERR, "{who} who send {values} as {what} are refused"),
    Row(on("pattern"), Change.ADDED, "{of}-pattern-added", ERR, "{who} whose {what} does not fit the pattern are refused"),
    Row(on("pattern"), None, "{of}-pattern-changed", WARN, "{who} whose {what} fitted the old pattern may be refused"),
    Row(on("anyOf"), None, "{of}-any-of-removed", ERR, "{who} who send {what} in a form that is gone are refused"),
    Row(on("oneOf"), None, "{of}-one-of-removed", ERR, "{who} who send {what} in a form that is gone are refused"),
    Row(bounds.ALL, Change.ADDED, "{of}-{bound}-set", WARN, "{who} whose {what} goes past the new bound are refused"),
    Row(bounds.ALL, None, "{of}-{bound}-{verb}", ERR, "{who} whose {what} kept to the old bound are refused"),
    Row(ANY, Change.UNDECIDED, "{of}-undecided", ERR, "{who} may be refused for {what}: {keyword} is beyond comparison"),
    Row(ANY, None, "{of}-{keyword}-changed", ERR, "{who} may send {what} in a way that is refused now"),
)
