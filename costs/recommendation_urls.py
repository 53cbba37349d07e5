from django.urls import path

from costs.views import recommendations as views

app_name = "recommendations"
urlpatterns = [
    path("", views.RecommendationList.as_view(), name="list"),
    path("/export.csv", views.RecommendationExport.as_view(), name="export"),
    path("/dismiss", views.DismissMany.as_view(), name="dismiss-many"),
    path("/<int:pk>", views.RecommendationDetail.as_view(), name="detail"),
    path("/<int:pk>/dismiss", views.Dismiss.as_view(), name="dismiss"),
    path("/<int:pk>/restore", views.Restore.as_view(), name="restore"),
]
