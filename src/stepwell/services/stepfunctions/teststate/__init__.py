"""TestState: runs one state alone, its work mocked or real, and shows how data flowed through it.

::

    subject      the state in the definition, checked and parsed alone
    rules        what may be asked for together, as a table of sentences
    contexts     the context object that may be given
    mocks        a mocked result against the API's shape
    maps         where a Map under test differs: what stands in for a reader, what its iterations would be given
    readers      items that an ItemReader would have read
    batches      what an ItemBatcher makes of the inputs of iterations
    shapes       types of the fields that both read
    exchange     the HTTP request and response of an HTTP Task
    inspection   how data flowed
    operation    the life of one request
"""

from stepwell.services.stepfunctions.teststate.operation import TestStateOperation

__all__ = ["TestStateOperation"]
