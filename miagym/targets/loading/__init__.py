"""From a place to a target: which family it is, that every weight is accounted for, and LoRAs."""
