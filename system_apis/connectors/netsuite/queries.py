"""Every SuiteQL text that is ever sent; what varies are its parameters, never the text around them.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html
"""

CURRENCY_BY_SYMBOL = "SELECT id FROM currency WHERE symbol = ? AND isinactive = 'F' ORDER BY id"
CURRENCY_BY_ID = "SELECT symbol FROM currency WHERE id = ?"
TERMS_BY_DAYS = "SELECT id, discountpercent FROM term WHERE daysuntilnetdue = ? AND isinactive = 'F' ORDER BY id"
TAX_ITEM = "SELECT id, itemid, isinactive FROM salestaxitem WHERE itemid = ? ORDER BY isinactive, id"
LEGAL_ENTITY = (
    "SELECT s.id, s.name, s.country, s.isinactive, c.symbol FROM subsidiary s JOIN currency c ON c.id = s.currency WHERE s.id = ?"
)
# Months only: quarters and years hold the day too, and an adjustment period lies within a month.
MONTH = (
    "SELECT id, periodname, startdate, enddate, closed, alllocked, arlocked, isposting FROM accountingperiod"
    " WHERE startdate <= TO_DATE(?, 'YYYY-MM-DD') AND enddate >= TO_DATE(?, 'YYYY-MM-DD')"
    " AND isquarter = 'F' AND isyear = 'F' AND isadjust = 'F' ORDER BY id"
)
# Price level 1 is the base price in every account. An item has as many rows as currencies and quantity breaks times locations.
_ITEMS = (
    "SELECT i.id, i.itemid, i.displayname, i.itemtype, i.isinactive, c.symbol, p.quantity, p.unitprice,"
    " s.location, s.quantityavailable"
    " FROM item i LEFT JOIN pricing p ON p.item = i.id LEFT JOIN currency c ON c.id = p.currency"
    " LEFT JOIN aggregateitemlocation s ON s.item = i.id"
    " WHERE i.itemid IN ({}) AND (p.pricelevel = 1 OR p.pricelevel IS NULL)"
    " ORDER BY i.id, c.symbol, p.quantity, s.location"
)


def items(count: int) -> str:
    """For so many codes: the items with their base prices and their stock."""
    return _ITEMS.format(", ".join("?" * count))
