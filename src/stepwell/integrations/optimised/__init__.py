"""Optimised integrations: a file per service that is special, ``plain`` for the rest, ``registry`` says which."""
