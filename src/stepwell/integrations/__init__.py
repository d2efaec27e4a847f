"""What a Task's ``Resource`` means: calling services, waiting for what they started, and naming their errors.

::

    runner      one call of a task -> outcome (the engine's TaskRunner)
    |-- sdk           arn:aws:states:::aws-sdk:service:action
    |-- optimised/    arn:aws:states:::service:action, a file per service that is special, one for the rest
    `-- http/         arn:aws:states:::http:invoke
    caller      the single door to a service: embedded, at an endpoint, or at AWS
    `-- remote        a request to a service that is somewhere else
    shapes      JSON with AWS's PascalCase names <-> what a service's operation takes and gives
    faults      a service's error -> the error name and cause that a workflow sees

Nothing here knows about states, retries or histories.
"""
