HARMLESS: frozenset[str]

__pyx_capi__: dict[str, object]
