"""Asking AWS what runs, and writing it down: wishes, runs, scans, and what each kind of resource is told of."""
