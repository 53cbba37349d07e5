from __future__ import annotations

from django.urls import path

from resources.views import automation, scaling_rules

app_name = "automation"
urlpatterns = [
    path("", automation.ScheduleList.as_view(), name="list"),
    path("/decisions", automation.DecisionList.as_view(), name="decisions"),
    path("/add", automation.AddSchedule.as_view(), name="add"),
    path("/<int:pk>", automation.ScheduleDetail.as_view(), name="detail"),
    path("/<int:pk>/edit", automation.EditSchedule.as_view(), name="edit"),
    path("/<int:pk>/override", automation.Override.as_view(), name="override"),
    path("/<int:pk>/delete", automation.DeleteSchedule.as_view(), name="delete"),
    path("/scaling", scaling_rules.ScalingRuleList.as_view(), name="scaling-list"),
    path("/scaling/add", scaling_rules.AddScalingRule.as_view(), name="add-scaling"),
    path("/scaling/<int:pk>", scaling_rules.ScalingRuleDetail.as_view(), name="scaling"),
    path("/scaling/<int:pk>/edit", scaling_rules.EditScalingRule.as_view(), name="edit-scaling"),
    path("/scaling/<int:pk>/delete", scaling_rules.DeleteScalingRule.as_view(), name="delete-scaling"),
    *(
        path(f"/scaling/<int:pk>/{how}", scaling_rules.SwitchScalingRule.as_view(how=how), name=f"{how}-scaling")
        for how in ("arm", "try", "pause")
    ),
    *(path(f"/<int:pk>/{how}", automation.SwitchSchedule.as_view(how=how), name=how) for how in ("arm", "try", "pause")),
]
