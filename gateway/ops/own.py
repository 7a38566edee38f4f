"""The most a caller may see of what is counted by client: a partner all of its clients, whoever else is restricted itself."""

from typing import TypedDict

from kernel.context import caller


class Own(TypedDict, total=False):
    """What a line must say; nothing where all may be seen."""

    client: str
    partner: str


def own() -> Own:
    whom = caller.get()
    if whom.partner:
        return {"partner": whom.partner}
    return {} if whom.accounts is None else {"client": whom.client, "partner": ""}
