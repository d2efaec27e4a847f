"""AWS's wire protocols: an HTTP request becomes a call, a result or an error becomes an HTTP response.

What an operation takes and gives is botocore's service models, read as data; nothing here knows what a service does.

::

    Request -> routing.resolve -> sigv4.verify (mode "keys") -> protocol.parse -> validation.validate -> the service
    Reply   <- protocol.reply (a result) or protocol.fault (a ServiceError)

Each protocol family has a file of its own and a row in ``protocols.PROTOCOLS``; each service that is served has a row
in ``models.SERVED``.
"""
