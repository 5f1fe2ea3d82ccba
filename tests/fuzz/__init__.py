"""Random programs and injected faults: what the scenarios did not think of."""
