"""The HTTP server: from a socket to a service and back.

::

    app        the composition root: builds everything and knows everyone
    address    a bound socket, and its URL
    run        signals, starting and stopping in order
    pipeline   the life of a request, as one list
    exchange   one request on its way through that list
    guard      which requests are refused because a web page may have sent them
    identity   who calls: any key (open), or a proven signature (keys)
    pages      GET /health and GET /metrics
    metrics    what is counted
    logs       how log lines look
"""
