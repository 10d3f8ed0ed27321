"""What `python -m aiohttpx` does."""
