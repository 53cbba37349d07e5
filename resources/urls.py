from __future__ import annotations

from django.urls import path

from resources.views import bucket_changes, buckets, function_changes, functions, instances, inventory, objects

app_name = "resources"
urlpatterns = [
    path("ec2", instances.InstanceList.as_view(), name="instances"),
    path("ec2/export.csv", instances.InstanceExport.as_view(), name="ec2-export"),
    path("ec2/<int:account_id>/<str:region>/<str:instance_id>", instances.InstanceDetail.as_view(), name="instance"),
    path("s3", buckets.BucketList.as_view(), name="buckets"),
    path("s3/export.csv", buckets.BucketExport.as_view(), name="s3-export"),
    path("s3/create", bucket_changes.CreateBucket.as_view(), name="create-bucket"),
    path("s3/<int:account_id>/<str:name>", buckets.BucketDetail.as_view(), name="bucket"),
    path("s3/<int:account_id>/<str:name>/objects", objects.ObjectList.as_view(), name="objects"),
    path("s3/<int:account_id>/<str:name>/objects/delete", objects.DeleteObjects.as_view(), name="delete-objects"),
    path("s3/<int:account_id>/<str:name>/upload", objects.UploadFiles.as_view(), name="upload"),
    path("s3/<int:account_id>/<str:name>/download", objects.Download.as_view(), name="download"),
    path("s3/<int:account_id>/<str:name>/share", objects.ShareObject.as_view(), name="share-object"),
    path("s3/<int:account_id>/<str:name>/remove", bucket_changes.RemoveBucket.as_view(), name="remove-bucket"),
    path("lambda", functions.FunctionList.as_view(), name="functions"),
    path("lambda/export.csv", functions.FunctionExport.as_view(), name="lambda-export"),
    path("lambda/create", function_changes.CreateFunction.as_view(), name="create-function"),
    path("lambda/<int:account_id>/<str:region>/<str:name>", functions.FunctionDetail.as_view(), name="function"),
    path("lambda/<int:account_id>/<str:region>/<str:name>/invoke", function_changes.InvokeFunction.as_view(), name="invoke"),
    path("lambda/<int:account_id>/<str:region>/<str:name>/versions", function_changes.Versions.as_view(), name="versions"),
    path("lambda/<int:account_id>/<str:region>/<str:name>/deploy", function_changes.DeployFunction.as_view(), name="deploy"),
    path("lambda/<int:account_id>/<str:region>/<str:name>/roll-back", function_changes.RollBack.as_view(), name="roll-back"),
    path("inventory/refresh", inventory.RefreshInventory.as_view(), name="refresh"),
    path("inventory/running", inventory.RunningSyncs.as_view(), name="syncs"),
    path("inventory/views", inventory.SaveView.as_view(), name="save-view"),
    path("inventory/views/<int:pk>/delete", inventory.DeleteView.as_view(), name="delete-view"),
]
