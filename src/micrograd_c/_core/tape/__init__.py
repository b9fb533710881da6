"""The arena: nodes, recording, sweeping, collecting. Knows no Python objects but handles."""
