"""Who works on what: leases on chunks, held by processes on one or many machines."""
