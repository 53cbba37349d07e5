from django.urls import path

from costs.views import budget_editor, budgets

app_name = "budgets"
urlpatterns = [
    path("", budgets.BudgetList.as_view(), name="list"),
    path("/new", budget_editor.NewBudget.as_view(), name="new"),
    path("/preview", budget_editor.PreviewBudget.as_view(), name="preview"),
    path("/<int:pk>", budgets.BudgetDetail.as_view(), name="detail"),
    path("/<int:pk>/edit", budget_editor.EditBudget.as_view(), name="edit"),
    path("/<int:pk>/mute", budgets.MuteBudget.as_view(), name="mute"),
    path("/<int:pk>/take-over", budgets.TakeOverBudget.as_view(), name="take-over"),
    path("/<int:pk>/archive", budgets.ArchiveBudget.as_view(), name="archive"),
    path("/<int:pk>/restore", budgets.RestoreBudget.as_view(), name="restore"),
]
