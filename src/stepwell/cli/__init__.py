"""The command line.

::

    main       the entry point: finds the command, turns errors into words and exit codes
    exits      the exit codes
    output     text for people, JSON for programs: ``--json`` on every command
    options    flags for settings, made from the table of settings
    client     speaks to a running server, signed, over its public API
    commands/  one file per command
"""
