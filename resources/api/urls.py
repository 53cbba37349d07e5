from __future__ import annotations

from django.urls import path

from resources.api import (
    automation,
    bucket_changes,
    buckets,
    function_changes,
    functions,
    instances,
    inventory,
    objects,
    quotas,
    scaling_rules,
)

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
    path("/automation/schedules", automation.Schedules.as_view()),
    path("/automation/schedules/<int:schedule_id>", automation.OneSchedule.as_view()),
    path("/automation/schedules/<int:schedule_id>/preview", automation.SchedulePreview.as_view()),
    path("/automation/schedules/<int:schedule_id>/override", automation.OverrideSchedule.as_view()),
    *(
        path(f"/automation/schedules/<int:schedule_id>/{how}", automation.SwitchSchedule.as_view(how=how))
        for how in ("arm", "try", "pause")
    ),
    path("/automation/scaling-rules", scaling_rules.ScalingRules.as_view()),
    path("/automation/scaling-rules/<int:rule_id>", scaling_rules.OneScalingRule.as_view()),
    path("/automation/scaling-rules/<int:rule_id>/preview", scaling_rules.ScalingRulePreview.as_view()),
    path("/automation/scaling-rules/<int:rule_id>/readings", scaling_rules.ScalingReadings.as_view()),
    *(
        path(f"/automation/scaling-rules/<int:rule_id>/{how}", scaling_rules.SwitchScalingRule.as_view(how=how))
        for how in ("arm", "try", "pause")
    ),
    path("/automation/decisions", automation.Decisions.as_view()),
    path("/quotas", quotas.Quotas.as_view()),
    path("/quotas/<int:quota_id>", quotas.OneQuota.as_view()),
    path("/quotas/<int:quota_id>/history", quotas.QuotaHistory.as_view()),
    path("/quotas/<int:quota_id>/increases", quotas.QuotaIncreases.as_view()),
    path("/inventory/syncs", inventory.Syncs.as_view()),
    path("/inventory/syncs/<int:sync_id>", inventory.Sync.as_view()),
]
