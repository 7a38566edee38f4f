"""An imitation of a Salesforce org: REST API, SOQL, OAuth and outbound messages. Not affiliated with the vendor."""

from sandbox.control import Imitation
from sandbox.salesforce.app import SalesforceImitation


def imitation() -> Imitation:
    return SalesforceImitation()
