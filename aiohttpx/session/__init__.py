"""Policy: what is asked of whom, how often, and on whose behalf."""
