"""What callers get may only narrow: the ids of a promise that the new contract does not make any more."""

from governance.changes import bounds
from governance.changes.finding import Severity
from governance.changes.reason import Change
from governance.changes.words import ANY, Row, about_null, about_types, extensible, generalized, is_new, on

ERR, WARN = Severity.ERR, Severity.WARN
TOLD = (
    Row(on("required"), None, "{required_part}-removed", ERR, "{who} who rely on {what} do not get it any more", is_new),
    Row(on("required"), None, "{part}-became-optional", ERR, "{who} who rely on {what} do not always get it any more"),
    Row(on("properties"), None, "{optional_part}-removed", WARN, "{who} who read {what} where it was there never get it"),
    Row(on("additionalProperties"), Change.CLOSED, "{part}-added-to-closed-object", ERR,
        "{who} who refuse what was not promised refuse {what}"),
    Row(on("type"), None, "{of}-became-nullable", ERR, "{who} who do not expect null as {what} break", about_null),
    Row(on("type"), None, "{of}-type-generalized", ERR, "{who} who read {what} as a whole number break", generalized),
    Row(on("type"), None, "{of}-list-of-types-widened", ERR, "{who} who read {what} as one of the old types break", about_types),
    Row(on("type", "format", "false"), None, "{of}-type-changed", ERR, "{who} who read {what} as before break"),
    Row(on("enum"), Change.ADDED, "{of}-enum-removed", ERR, "{who} who know all values of {what} meet others"),
    Row(on("enum"), None, "{of}-enum-value-added", WARN, "{who} who know all values of {what} meet {values}", extensible),
    Row(on("enum"), None, "{of}-enum-value-added", ERR, "{who} who know all values of {what} meet {values}"),
    Row(on("const"), Change.ADDED, "{of}-const-removed", ERR, "{who} who rely on the one value of {what} meet others"),
    Row(on("const"), None, "{of}-const-changed", ERR, "{who} who rely on the one value of {what} meet {values}"),
    Row(on("pattern"), Change.ADDED, "{of}-pattern-removed", ERR, "{who} who rely on the pattern of {what} meet others"),
    Row(on("pattern"), None, "{of}-pattern-changed", WARN, "{who} who rely on the old pattern of {what} may meet others"),
    Row(on("anyOf"), None, "{of}-any-of-added", ERR, "{who} who know the forms of {what} meet another one"),
    Row(on("oneOf"), None, "{of}-one-of-added", ERR, "{who} who know the forms of {what} meet another one"),
    Row(bounds.ALL, Change.ADDED, "{of}-{bound}-unset", ERR, "{who} who rely on the bound of {what} meet values past it"),
    Row(bounds.ALL, None, "{of}-{bound}-{verb}", ERR, "{who} who rely on the bound of {what} meet values past it"),
    Row(ANY, Change.UNDECIDED, "{of}-undecided", ERR, "{who} may get {what} otherwise: {keyword} is beyond comparison"),
    Row(ANY, None, "{of}-{keyword}-changed", ERR, "{who} may get {what} in a way that was not promised"),
)  # fmt: skip
