"""AWS's limits, each with its page. Sizes are bytes of UTF-8, times seconds.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html unless a line says otherwise.
"""

DATA_BYTES = 262_144  # input or output of a task, state or execution
ASSIGN_BYTES = 262_144  # all variables of one Assign
VARIABLES_BYTES = 10_485_760  # all variables of an execution
DEFINITION_BYTES = 1_048_576
REQUEST_BYTES = 1_048_576
HISTORY_EVENTS = 25_000  # of a Standard execution
NAME_CHARACTERS = 80
STATE_NAME_CHARACTERS = 80
ERROR_CHARACTERS = 256  # API reference, SendTaskFailure
CAUSE_CHARACTERS = 32_768
TASK_TOKEN_CHARACTERS = 2_048  # API reference, SendTaskSuccess; ours stay below 1,024
STANDARD_SECONDS = 31_536_000  # one year
EXPRESS_SECONDS = 300
TASK_SECONDS = 99_999_999  # largest TimeoutSeconds
INLINE_MAP_CONCURRENCY = 40
TAGS = 50
PAGE_RESULTS = 1_000
ACTIVITY_POLL_SECONDS = 60
HTTP_TASK_SECONDS = 60  # https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
HISTORY_RETENTION_DAYS = 90
