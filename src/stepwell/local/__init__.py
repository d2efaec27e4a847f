"""Workflows in-process: the library, its mocks, and the pytest plugin. No server, no database.

::

    workflow        load a definition; Workflow.run, run_async, start
    |-- substitutions   fill ${Name} placeholders
    |-- live          a run that is steered step by step
    |-- progress      a run at a terminal: real time, one report for each event
    `-- session       one execution in memory, and when it is quiet
        |-- tasks       the engine's TaskRunner: mocks first, then real tasks
        `-- answers     what a mock is: Return, Throw, PENDING, a function, a list of these
    run             what may be asked of a run: status, output, history, states visited
    |-- history       its events
    `-- waiting       what it waits for, in words
    mockfile        Step Functions Local's mock configuration
    pytest_plugin   the fixture ``load_workflow``
    graph/          pictures of a definition
"""
