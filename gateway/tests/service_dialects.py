"""Answers as particular services give them, each of which tells its limits in a way of its own."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.rules.rate_windows import Dialect, Unit
from gateway.tests.dialects import EPOCH, Case, Told

_JS = "Sat Nov 28 2026 13:02:42 GMT+0100 (Central European Standard Time)"

CASES: Mapping[str, Case] = {
    "github": Case(
        Dialect.GITHUB,
        f"""
        X-RateLimit-Limit: 5000
        X-RateLimit-Remaining: 4999
        X-RateLimit-Used: 1
        X-RateLimit-Reset: {EPOCH + 3000}
        X-RateLimit-Resource: core
        """,
        (Told(5000, 4999, 1, reset=3000, policy="core"),),
    ),
    "github, its limit reached": Case(
        Dialect.GITHUB,
        f"""
        X-GitHub-Request-Id: 1
        X-RateLimit-Limit: 60
        X-RateLimit-Remaining: 0
        X-RateLimit-Used: 60
        X-RateLimit-Reset: {EPOCH + 3000}
        X-RateLimit-Resource: search
        """,
        (Told(60, 0, 60, reset=3000, policy="search"),),
        status=403,
    ),
    "github, the second limit, of which the first knows nothing": Case(
        Dialect.GITHUB,
        f"""
        Retry-After: 60
        X-RateLimit-Limit: 5000
        X-RateLimit-Remaining: 4312
        X-RateLimit-Reset: {EPOCH + 3000}
        X-RateLimit-Resource: core
        """,
        (Told(5000, 4312, reset=3000, policy="core"), Told(remaining=0, reset=60, policy="pause")),
        status=403,
    ),
    "openai": Case(
        Dialect.OPENAI,
        """
        x-ratelimit-limit-requests: 10000
        x-ratelimit-remaining-requests: 9999
        x-ratelimit-reset-requests: 6m0s
        x-ratelimit-limit-tokens: 200000
        x-ratelimit-remaining-tokens: 199985
        x-ratelimit-reset-tokens: 12ms
        """,
        (
            Told(10_000, 9999, reset=360, policy="requests"),
            Told(200_000, 199_985, reset=0.012, policy="tokens", unit=Unit.TOKENS),
        ),
    ),
    "openai, by usage": Case(
        Dialect.OPENAI,
        """
        x-ratelimit-limit-tokens_usage_based: 1000
        x-ratelimit-remaining-tokens_usage_based: 10
        x-ratelimit-reset-tokens_usage_based: 1h2m3s
        """,
        (Told(1000, 10, reset=3723, policy="tokens_usage_based", unit=Unit.TOKENS),),
    ),
    "groq": Case(
        Dialect.OPENAI,
        """
        x-ratelimit-limit-requests: 14400
        x-ratelimit-remaining-requests: 14370
        x-ratelimit-reset-requests: 2m59.56s
        x-ratelimit-limit-tokens: 18000
        x-ratelimit-remaining-tokens: 17997
        x-ratelimit-reset-tokens: 7.66s
        """,
        (
            Told(14_400, 14_370, reset=179.56, policy="requests"),
            Told(18_000, 17_997, reset=7.66, policy="tokens", unit=Unit.TOKENS),
        ),
    ),
    "azure openai": Case(
        Dialect.AZURE_OPENAI,
        """
        x-ratelimit-limit-tokens: 10000
        x-ratelimit-remaining-tokens: 9000
        x-ratelimit-reset-tokens: 45
        """,
        (Told(10_000, 9000, reset=45, policy="tokens", unit=Unit.TOKENS),),
    ),
    "azure openai, which does not know": Case(
        Dialect.AZURE_OPENAI,
        """
        x-ratelimit-limit-requests: -1
        x-ratelimit-remaining-requests: -1
        x-ratelimit-reset-requests: 0
        """,
        (),
    ),
    "azure openai, in thousandths": Case(
        Dialect.RETRY_AFTER, "retry-after-ms: 1500", (Told(remaining=0, reset=1.5, policy="pause"),), 429
    ),
    "anthropic": Case(
        Dialect.ANTHROPIC,
        """
        anthropic-ratelimit-requests-limit: 50
        anthropic-ratelimit-requests-remaining: 49
        anthropic-ratelimit-requests-reset: 2026-11-28T12:00:59Z
        anthropic-ratelimit-input-tokens-limit: 50000
        anthropic-ratelimit-input-tokens-remaining: 0
        anthropic-ratelimit-input-tokens-reset: 2026-11-28T12:01:00Z
        anthropic-ratelimit-output-tokens-limit: 10000
        anthropic-ratelimit-output-tokens-remaining: 9000
        anthropic-ratelimit-output-tokens-reset: 2026-11-28T12:00:30Z
        """,
        (
            Told(50, 49, reset=59, policy="requests"),
            Told(50_000, 0, reset=60, policy="input-tokens", unit=Unit.TOKENS),
            Told(10_000, 9000, reset=30, policy="output-tokens", unit=Unit.TOKENS),
        ),
    ),
    "anthropic, one reset for all": Case(
        Dialect.ANTHROPIC,
        f"anthropic-ratelimit-unified-reset: {EPOCH + 7200}",
        (Told(remaining=0, reset=7200, policy="unified"),),
        status=429,
    ),
    "stripe": Case(
        Dialect.STRIPE,
        """
        Stripe-Rate-Limited-Reason: endpoint-rate
        Stripe-Should-Retry: true
        """,
        (Told(remaining=0, reset=30, policy="endpoint-rate"),),
        status=429,
    ),
    "stripe, too many at once": Case(
        Dialect.STRIPE,
        "Stripe-Rate-Limited-Reason: global-concurrency",
        (Told(remaining=0, reset=30, policy="global-concurrency", unit=Unit.CONCURRENT),),
        status=429,
    ),
    "stripe, that waited for a lock": Case(
        Dialect.RETRY_AFTER, "Request-Id: 1", (Told(remaining=0, reset=30, policy="pause"),), 429
    ),
    "x and okta": Case(
        Dialect.X_RATE_LIMIT,
        f"""
        x-rate-limit-limit: 900
        x-rate-limit-remaining: 899
        x-rate-limit-reset: {EPOCH + 900}
        """,
        (Told(900, 899, reset=900),),
    ),
    "gitlab": Case(
        Dialect.GITLAB,
        f"""
        RateLimit-Limit: 600
        RateLimit-Observed: 3
        RateLimit-Remaining: 597
        RateLimit-Reset: {EPOCH + 44}
        RateLimit-ResetTime: Sat, 28 Nov 2026 12:00:44 GMT
        RateLimit-Name: throttle_authenticated_api
        """,
        (Told(600, 597, 3, reset=44, policy="throttle_authenticated_api"),),
    ),
    "reddit": Case(
        Dialect.REDDIT,
        """
        X-Ratelimit-Used: 2
        X-Ratelimit-Remaining: 598.0
        X-Ratelimit-Reset: 287
        """,
        (Told(None, 598, 2, reset=287),),
    ),
    "discord": Case(
        Dialect.DISCORD,
        f"""
        X-RateLimit-Limit: 5
        X-RateLimit-Remaining: 0
        X-RateLimit-Reset: {EPOCH + 1}.123
        X-RateLimit-Reset-After: 1.123
        X-RateLimit-Bucket: abcd1234
        X-RateLimit-Scope: user
        """,
        (Told(5, 0, reset=1.123, policy="abcd1234", scope="user"),),
    ),
    "linear": Case(
        Dialect.LINEAR,
        f"""
        X-RateLimit-Requests-Limit: 1500
        X-RateLimit-Requests-Remaining: 1499
        X-RateLimit-Requests-Reset: {EPOCH + 3600}000
        X-RateLimit-Complexity-Limit: 250000
        X-RateLimit-Complexity-Remaining: 249000
        X-RateLimit-Complexity-Reset: {EPOCH + 3600}000
        """,
        (
            Told(1500, 1499, reset=3600, policy="requests"),
            Told(250_000, 249_000, reset=3600, policy="complexity", unit=Unit.CREDITS),
        ),
    ),
    "openrouter": Case(
        Dialect.OPENROUTER,
        f"""
        X-RateLimit-Limit: 20
        X-RateLimit-Remaining: 19
        X-RateLimit-Reset: {EPOCH + 60}000
        """,
        (Told(20, 19, reset=60),),
    ),
    "jira": Case(
        Dialect.ATLASSIAN,
        """
        X-RateLimit-Limit: 350
        X-RateLimit-Remaining: 0
        X-RateLimit-Reset: 2026-11-28T12:05Z
        """,
        (Told(350, 0, reset=300),),
        status=429,
    ),
    "akamai": Case(
        Dialect.AKAMAI,
        """
        X-RateLimit-Limit: 60
        X-RateLimit-Remaining: 10
        X-RateLimit-Next: 2026-11-28T12:00:01.250Z
        """,
        (Told(60, 10, reset=1.25),),
    ),
    "vimeo": Case(
        Dialect.VIMEO,
        """
        X-RateLimit-Limit: 100
        X-RateLimit-Remaining: 94
        X-RateLimit-Reset: 2026-11-28T13:02:00+01:00
        """,
        (Told(100, 94, reset=120),),
    ),
    "mailerlite, without a zone": Case(
        Dialect.VIMEO,
        """
        X-RateLimit-Limit: 120
        X-RateLimit-Remaining: 0
        X-RateLimit-Reset: 2026-11-28 12:00:50
        X-RateLimit-Retry-After: 50
        """,
        (Told(120, 0, reset=50),),
        status=429,
    ),
    "lemlist": Case(
        Dialect.LEMLIST,
        f"""
        X-RateLimit-Limit: 20
        X-RateLimit-Remaining: 7
        X-RateLimit-Reset: {_JS}
        """,
        (Told(20, 7, reset=162),),
    ),
    "prisjakt": Case(
        Dialect.PRISJAKT,
        """
        X-Rate-Limit-Limit: 1000
        X-Rate-Limit-Remaining: 12
        X-Rate-Limit-Reset: 600000
        """,
        (Told(1000, 12, reset=600),),
        named="prisjakt",
    ),
    "whoop": Case(
        Dialect.WHOOP,
        """
        X-RateLimit-Limit: 100, 100;window=60, 10000;window=86400
        X-RateLimit-Remaining: 98
        X-RateLimit-Reset: 3
        """,
        (Told(100, 98, reset=3, seconds=60), Told(10_000, policy="86400 s", seconds=86_400)),
    ),
    "kong": Case(
        Dialect.KONG,
        """
        X-RateLimit-Limit-Minute: 10
        X-RateLimit-Remaining-Minute: 3
        X-RateLimit-Limit-Year: 5000
        X-RateLimit-Remaining-Year: 4000
        RateLimit-Limit: 10
        RateLimit-Remaining: 3
        RateLimit-Reset: 44
        """,
        (
            Told(10, 3, reset=44, policy="minute", seconds=60),
            Told(5000, 4000, policy="year", seconds=31_536_000),
        ),
    ),
    "shopify": Case(Dialect.SHOPIFY, "X-Shopify-Shop-Api-Call-Limit: 32/40", (Told(40, 8, 32, policy="shop"),)),
    "hubspot": Case(
        Dialect.HUBSPOT,
        """
        X-HubSpot-RateLimit-Daily: 250000
        X-HubSpot-RateLimit-Daily-Remaining: 249000
        X-HubSpot-RateLimit-Interval-Milliseconds: 10000
        X-HubSpot-RateLimit-Max: 100
        X-HubSpot-RateLimit-Remaining: 98
        """,
        (
            Told(250_000, 249_000, policy="daily", seconds=86_400),
            Told(100, 98, seconds=10),
        ),
    ),
    "aircall": Case(
        Dialect.AIRCALL,
        f"""
        X-AircallApi-Limit: 60
        X-AircallApi-Remaining: 59
        X-AircallApi-Reset: {EPOCH + 60}
        """,
        (Told(60, 59, reset=60),),
    ),
    "cloudtalk": Case(
        Dialect.CLOUDTALK,
        f"""
        X-CloudTalkAPI-Limit: 60
        X-CloudTalkAPI-Remaining: 0
        X-CloudTalkAPI-ResetTime: {EPOCH + 20}
        """,
        (Told(60, 0, reset=20),),
    ),
    "toggl": Case(
        Dialect.TOGGL,
        """
        X-Toggl-Quota-Remaining: 25
        X-Toggl-Quota-Resets-In: 3500
        """,
        (Told(None, 25, reset=3500),),
    ),
    "contentful": Case(
        Dialect.CONTENTFUL,
        """
        X-Contentful-RateLimit-Hour-Limit: 36000
        X-Contentful-RateLimit-Hour-Remaining: 35883
        X-Contentful-RateLimit-Second-Limit: 10
        X-Contentful-RateLimit-Second-Remaining: 0
        X-Contentful-RateLimit-Reset: 1
        """,
        (
            Told(36_000, 35_883, policy="hour", seconds=3600),
            Told(10, 0, reset=1, policy="second", seconds=1),
        ),
    ),
}
