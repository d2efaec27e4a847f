"""Executions: what has happened, what waits, what to do next; durable through the Journal, or in memory."""
