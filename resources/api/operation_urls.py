from django.urls import path

from resources.api import instance_operations, operations, refreshes

urlpatterns = [
    path("/ec2/start/<str:instance_id>", instance_operations.Start.as_view(), name="ec2-start"),
    path("/ec2/stop/<str:instance_id>", instance_operations.Stop.as_view(), name="ec2-stop"),
    path("/ec2/reboot/<str:instance_id>", instance_operations.Reboot.as_view(), name="ec2-reboot"),
    path("/ec2/terminate/<str:instance_id>", instance_operations.Terminate.as_view(), name="ec2-terminate"),
    path("/ec2/bulk", instance_operations.BulkOperation.as_view(), name="ec2-bulk"),
    path("/operations", operations.Operations.as_view(), name="operations"),
    path("/operations/inventory-<int:sync_id>", refreshes.RefreshView.as_view(), name="refresh"),
    path("/operations/<int:operation_id>", operations.OperationView.as_view(), name="operation"),
    path("/operations/<int:operation_id>/approve", operations.Approve.as_view(), name="operation-approve"),
    path("/operations/<int:operation_id>/reject", operations.Reject.as_view(), name="operation-reject"),
    path("/operations/<int:operation_id>/cancel", operations.Cancel.as_view(), name="operation-cancel"),
]
