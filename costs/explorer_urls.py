from django.urls import path

from costs.views import changes, explorer, files, filters, forecasts, reconciliation, reports, tags

app_name = "explorer"
urlpatterns = [
    path("", explorer.Costs.as_view(), name="costs"),
    path("/changes", changes.WhatChanged.as_view(), name="changes"),
    path("/forecast", forecasts.Forecast.as_view(), name="forecast"),
    path("/forecast/aws", forecasts.AskAws.as_view(), name="ask_aws"),
    path("/reconciliation", reconciliation.Reconciliation.as_view(), name="reconciliation"),
    path("/reconciliation/<int:pk>", reconciliation.AccountReconciliation.as_view(), name="reconciled"),
    path("/tags", tags.TagCoverage.as_view(), name="tags"),
    path("/tags/keys", tags.TagKeys.as_view(), name="tag-keys"),
    path("/tags/keys/<int:source_id>", tags.ChooseTags.as_view(), name="tags-choose"),
    path("/tags/keys/<int:source_id>/list", tags.ListTags.as_view(), name="tags-list"),
    path("/filters", filters.Filters.as_view(), name="filters"),
    path("/costs.csv", explorer.CostsCsv.as_view(), name="csv"),
    path("/reports", reports.SaveReport.as_view(), name="save"),
    path("/reports/<int:pk>/rename", reports.RenameReport.as_view(), name="rename"),
    path("/reports/<int:pk>/delete", reports.DeleteReport.as_view(), name="delete"),
    path("/export", explorer.ExportCosts.as_view(), name="export"),
    path("/files", files.FileList.as_view(), name="files"),
    path("/files/send", files.SendFile.as_view(), name="send_file"),
    path("/files/<int:pk>", files.FileDetail.as_view(), name="file"),
    path("/files/<int:pk>/store", files.StoreFile.as_view(), name="store_file"),
    path("/files/<int:pk>/apply", files.ApplyFileAgain.as_view(), name="apply_file_again"),
    path("/files/<int:pk>/take-back", files.TakeFileBack.as_view(), name="take_file_back"),
    path("/files/<int:pk>/discard", files.DiscardFile.as_view(), name="discard_file"),
    path("/files/<int:pk>/rejected.csv", files.RejectedCsv.as_view(), name="rejected"),
    path("/files/<int:pk>/periods/<int:period>", files.ChooseOwner.as_view(), name="choose_owner"),
    path("/files/buckets/add", files.AddBucket.as_view(), name="add_billing_bucket"),
    path("/files/buckets/<int:pk>/remove", files.RemoveBucket.as_view(), name="remove_billing_bucket"),
    path("/files/buckets/<int:pk>/look", files.LookIntoBucket.as_view(), name="look_into_billing_bucket"),
]
