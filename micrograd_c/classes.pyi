HARMLESS: frozenset[str]
