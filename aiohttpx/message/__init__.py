"""One request, one response, and what they carry."""
