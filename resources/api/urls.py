from __future__ import annotations

from django.urls import path

from resources.api import bucket_changes, buckets, function_changes, functions, instances, inventory, objects

urlpatterns = [
    path("/ec2/instances", instances.Instances.as_view()),
    path("/ec2/instances/<str:instance_id>", instances.InstanceDetail.as_view()),
    path("/s3/buckets", buckets.Buckets.as_view()),
    path("/s3/create", bucket_changes.CreateBucket.as_view()),
    path("/s3/upload", bucket_changes.Upload.as_view()),
    path("/s3/<str:bucket>", bucket_changes.BucketView.as_view()),
    path("/s3/<str:bucket>/objects", objects.Objects.as_view()),
    path("/s3/<str:bucket>/presign", objects.Presign.as_view()),
    path("/lambda/functions", functions.Functions.as_view()),
    path("/lambda/deploy", function_changes.Deploy.as_view()),
    path("/lambda/invoke/<str:function>", function_changes.Invoke.as_view()),
    path("/lambda/roll-back/<str:function>", function_changes.RollBack.as_view()),
    path("/inventory/syncs", inventory.Syncs.as_view()),
    path("/inventory/syncs/<int:sync_id>", inventory.Sync.as_view()),
]
