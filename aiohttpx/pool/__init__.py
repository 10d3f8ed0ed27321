"""Many connections: which are lent, which are kept, who waits."""
