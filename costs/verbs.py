"""What happens to costs that the audit trail tells."""

from __future__ import annotations

from audit.verbs import register

CAP_CHANGED = register("costs.cap_changed", "{actor} set the monthly cap of paid requests of {account} to {cap}")
SNAPSHOT_REQUESTED = register("snapshot.requested", "{actor} asked for the costs of {account}")
SNAPSHOT_FINISHED = register("snapshot.finished", "Fetching the costs of {account} ended")
SNAPSHOT_CANCELLED = register("snapshot.cancelled", "{actor} cancelled fetching the costs of {account}")
TAGS_LISTED = register("costs.tags_listed", "{actor} asked AWS which tags {account} has")
TAGS_CHOSEN = register("costs.tags_chosen", "{actor} chose the tags by which the costs of {account} are fetched: {tags}")
REPORT_SAVED = register("costs.report_saved", "{actor} saved the cost report “{name}”")
REPORT_DELETED = register("costs.report_deleted", "{actor} deleted the cost report “{name}”")
IMPORT_RECEIVED = register("costs.import_received", "{actor} sent the billing file {subject}")
IMPORT_READ = register("costs.import_read", "The billing file {subject} was read")
IMPORT_ACCEPTED = register("costs.import_accepted", "{actor} had the billing file {subject} stored")
IMPORT_COMMITTED = register("costs.import_committed", "The figures of the billing file {subject} were stored")
IMPORT_ROLLED_BACK = register("costs.import_rolled_back", "{actor} took back the billing file {subject}")
IMPORT_APPLIED_AGAIN = register("costs.import_applied_again", "{actor} had the stored billing file {subject} read again")
IMPORT_DISCARDED = register("costs.import_discarded", "{actor} discarded the billing file {subject}")
PERIOD_OWNER_CHANGED = register("costs.period_owner_changed", "{actor} let {owner} tell the costs of {account} in {month}")
BUCKET_ADDED = register("costs.billing_bucket_added", "{actor} added the billing bucket {subject}")
BUCKET_REMOVED = register("costs.billing_bucket_removed", "{actor} removed the billing bucket {subject}")
BUCKET_LOOKED_INTO = register("costs.billing_bucket_looked_into", "{actor} had the billing bucket {subject} looked into")
ANOMALY_ASSESSED = register("anomaly.assessed", "{actor} said of the unusual cost of {service}: {assessment}")
AWS_TOLD_OF_ANOMALY = register("anomaly.aws_told", "{actor} told AWS of the unusual cost of {service}: {feedback}")
ANOMALY_MUTED = register("anomaly.muted", "{actor} muted unusual costs of {about}")
ANOMALY_MUTE_LIFTED = register("anomaly.mute_lifted", "{actor} lets unusual costs of {about} be announced again")
ANOMALY_LIMITS_CHANGED = register("anomaly.limits_changed", "{actor} changed from where on costs of {about} are unusual")
ANOMALY_LIMITS_RESET = register("anomaly.limits_reset", "{actor} took back the own limits of unusual costs of {about}")
MONTH_CLOSED = register("costs.month_closed", "A month of the costs of {account} was closed")
MONTH_RESTATED = register("costs.month_restated", "A closed month of the costs of {account} was restated")
RECOMMENDATION_DISMISSED = register(
    "recommendation.dismissed", "{actor} dismissed the recommendation about {name} in {account}: {reason}"
)
RECOMMENDATION_RESTORED = register(
    "recommendation.restored", "{actor} took back the dismissal of the recommendation about {name} in {account}"
)
FORECAST_REQUESTED = register("costs.forecast_requested", "{actor} asked AWS for its own forecast of {account}")
FORECAST_ANSWERED = register("costs.forecast_answered", "AWS was asked for its own forecast of {account}")
BUDGET_CREATED = register("budget.created", "{actor} made the budget “{name}” of {amount}")
BUDGET_CHANGED = register("budget.changed", "{actor} changed the budget “{name}” (revision {revision})")
BUDGET_MUTED = register("budget.muted", "{actor} muted the budget “{name}” until {until}")
BUDGET_UNMUTED = register("budget.unmuted", "{actor} lets the budget “{name}” tell people again")
BUDGET_TAKEN_OVER = register("budget.taken_over", "{actor} took over the budget “{name}” from {before}")
BUDGET_ARCHIVED = register("budget.archived", "{actor} archived the budget “{name}”")
BUDGET_RESTORED = register("budget.restored", "{actor} restored the budget “{name}”")
