"""The embedded AWS services: one module or folder each, operations as async methods over storage."""
