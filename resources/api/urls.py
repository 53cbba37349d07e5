from __future__ import annotations

from django.urls import path

from resources.api import buckets, functions, instances, inventory

urlpatterns = [
    path("/ec2/instances", instances.Instances.as_view()),
    path("/ec2/instances/<str:instance_id>", instances.InstanceDetail.as_view()),
    path("/s3/buckets", buckets.Buckets.as_view()),
    path("/lambda/functions", functions.Functions.as_view()),
    path("/inventory/syncs", inventory.Syncs.as_view()),
    path("/inventory/syncs/<int:sync_id>", inventory.Sync.as_view()),
]
