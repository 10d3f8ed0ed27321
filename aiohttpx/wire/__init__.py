"""Bytes to meaning and back: pure functions and small machines that know no loop, socket or clock."""
