"""The worker's HTTP service, on aiohttp: an engine, and what a server owes to its callers."""
