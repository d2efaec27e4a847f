"""AWS IAM, as far as clients create roles and policies before they use other services.

Roles and policies are stored and returned with AWS's checks and errors. Nothing is enforced by them.

::

    shelf     reading and writing the two kinds of documents, again when somebody else was first
    grammar   is this text a policy?
    paging    Marker and MaxItems
    roles     roles, their inline policies and tags
    policies  managed policies, their versions and tags
    attaching managed policies attached to roles
"""

from stepwell.services.iam.service import Iam

__all__ = ["Iam"]
