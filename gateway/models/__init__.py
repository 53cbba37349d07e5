from gateway.models.keys import ApiKey, ApiKeySecret, Generation, KeyBudget
from gateway.models.rate_windows import RateSample, RateWindow
from gateway.models.requests import RequestCapture, RequestLog, Via
from gateway.models.sums import DaySum, SummedDay

__all__ = [
    "ApiKey",
    "ApiKeySecret",
    "DaySum",
    "Generation",
    "KeyBudget",
    "RateSample",
    "RateWindow",
    "RequestCapture",
    "RequestLog",
    "SummedDay",
    "Via",
]
