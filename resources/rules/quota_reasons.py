"""Why a quota's use or limit is not known, in words for people."""

from __future__ import annotations

NO_LIMIT = "AWS lists no quota of this model and profile here, so its limit is not known."
NOT_UNDERSTOOD = "Not every word of its name is understood, so no model is counted against it."
LONG_CONTEXT = "CloudWatch does not tell requests of long context apart from others."
UNUSED = "CloudWatch has no figures of it: most often because nothing uses it."
NOT_COUNTED = "The inventory of this region is not complete, so nothing was counted."
NOT_ASKED = "CloudWatch was not asked yet."
HELD = "AWS's default is {default}, but the limit applied to this account is 0: AWS has to enable it."
OFF = "The limit is 0: the account has to ask AWS for more before it can be used."
PROFILES = "Calls by inference profiles that somebody made are not in it: CloudWatch does not say which model they call."
