"""The operations by which ``.sync`` tasks ask how their jobs are: the result of such a task has that operation's shape.

Source: the permissions each integration needs, https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
(the page of each service).
"""

from __future__ import annotations

from stepwell.asl.resources import Resource

# Service in the ARN, botocore's service, and after each operation the actions whose jobs it describes.
_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("athena", "athena", "GetQueryExecution", "startQueryExecution"),
    ("batch", "batch", "DescribeJobs", "submitJob"),
    ("bedrock", "bedrock", "GetModelCustomizationJob", "createModelCustomizationJob"),
    ("codebuild", "codebuild", "BatchGetBuilds", "startBuild"),
    ("codebuild", "codebuild", "BatchGetBuildBatches", "startBuildBatch retryBuildBatch"),
    ("databrew", "databrew", "DescribeJobRun", "startJobRun"),
    ("ecs", "ecs", "DescribeTasks", "runTask"),
    ("eks", "eks", "DescribeCluster", "createCluster deleteCluster"),
    ("eks", "eks", "DescribeNodegroup", "createNodegroup deleteNodegroup"),
    ("eks", "eks", "DescribeFargateProfile", "createFargateProfile deleteFargateProfile"),
    ("elasticmapreduce", "emr", "DescribeCluster", "createCluster terminateCluster"),
    ("elasticmapreduce", "emr", "DescribeStep", "addStep"),
    ("emr-containers", "emr-containers", "DescribeVirtualCluster", "deleteVirtualCluster"),
    ("emr-containers", "emr-containers", "DescribeJobRun", "startJobRun"),
    (
        "emr-serverless",
        "emr-serverless",
        "GetApplication",
        "createApplication deleteApplication startApplication stopApplication",
    ),
    ("emr-serverless", "emr-serverless", "GetJobRun", "startJobRun cancelJobRun"),
    ("glue", "glue", "GetJobRun", "startJobRun"),
    ("mediaconvert", "mediaconvert", "GetJob", "createJob"),
    ("sagemaker", "sagemaker", "DescribeTrainingJob", "createTrainingJob"),
    ("sagemaker", "sagemaker", "DescribeTransformJob", "createTransformJob"),
    ("sagemaker", "sagemaker", "DescribeLabelingJob", "createLabelingJob"),
    ("sagemaker", "sagemaker", "DescribeHyperParameterTuningJob", "createHyperParameterTuningJob"),
    ("sagemaker", "sagemaker", "DescribeProcessingJob", "createProcessingJob"),
    ("states", "stepfunctions", "DescribeExecution", "startExecution"),
)

POLLED: dict[tuple[str, str], tuple[str, str]] = {
    (service, action): (botocore, operation)
    for service, botocore, operation, actions in _ROWS
    for action in actions.split()
}


def answering(resource: Resource) -> tuple[str, str] | None:
    """botocore's service and operation whose answer the task's result is; None where no AWS API stands behind it."""
    if resource.pattern in {"sync", "sync:2"}:
        return POLLED.get((resource.service, resource.action))
    return resource.call
