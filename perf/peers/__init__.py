"""The edge beside its peers, in one run: `scripts/bench peers`. docs/performance.md holds method and results."""
