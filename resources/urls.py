from __future__ import annotations

from django.urls import path

from resources.views import buckets, functions, instances, inventory

app_name = "resources"
urlpatterns = [
    path("ec2", instances.InstanceList.as_view(), name="instances"),
    path("ec2/export.csv", instances.InstanceExport.as_view(), name="ec2-export"),
    path("ec2/<int:account_id>/<str:region>/<str:instance_id>", instances.InstanceDetail.as_view(), name="instance"),
    path("s3", buckets.BucketList.as_view(), name="buckets"),
    path("s3/export.csv", buckets.BucketExport.as_view(), name="s3-export"),
    path("s3/<int:account_id>/<str:name>", buckets.BucketDetail.as_view(), name="bucket"),
    path("lambda", functions.FunctionList.as_view(), name="functions"),
    path("lambda/export.csv", functions.FunctionExport.as_view(), name="lambda-export"),
    path("lambda/<int:account_id>/<str:region>/<str:name>", functions.FunctionDetail.as_view(), name="function"),
    path("inventory/refresh", inventory.RefreshInventory.as_view(), name="refresh"),
    path("inventory/running", inventory.RunningSyncs.as_view(), name="syncs"),
    path("inventory/views", inventory.SaveView.as_view(), name="save-view"),
    path("inventory/views/<int:pk>/delete", inventory.DeleteView.as_view(), name="delete-view"),
]
