"""What `aiohttpx` and `python -m aiohttpx` do: a module for each command."""
