from django.urls import path

from resources.views import instance_operations, operations, savings

app_name = "operations"
urlpatterns = [
    path("ec2/operate", instance_operations.OperateInstances.as_view(), name="instances"),
    path("savings/operate", savings.OperateSaving.as_view(), name="saving"),
    path("operations", operations.OperationList.as_view(), name="list"),
    path("operations/running", operations.Running.as_view(), name="running"),
    path("operations/<int:pk>", operations.OperationDetail.as_view(), name="detail"),
    path("operations/<int:pk>/approve", operations.Approve.as_view(), name="approve"),
    path("operations/<int:pk>/reject", operations.Reject.as_view(), name="reject"),
    path("operations/<int:pk>/cancel", operations.Cancel.as_view(), name="cancel"),
]
