"""Orders: from an approved quote to a sales order, a subscription and the references sales needs."""
