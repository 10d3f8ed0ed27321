"""One connection: how it is opened, read, written and timed. asyncio begins on this floor."""
