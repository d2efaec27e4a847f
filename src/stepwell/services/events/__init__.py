"""Amazon EventBridge, of which connections are served: what authorises ``http:invoke``.

``connection`` is the record and its secrets, ``connections`` the operations, ``service`` the door.
"""
