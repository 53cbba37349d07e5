"""Things of somebody else, for the table of who may open what."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.models import AwsAccount, User
from gateway.models import ApiKey
from gateway.services import keys, manual_windows
from gateway.services.key_inputs import KeyInput
from gateway.services.manual_windows import WindowInput


def examples(account: AwsAccount, owner: User) -> Mapping[str, object]:
    """What stands in the place of a placeholder, by a part of the path. `owner` is nobody who tries."""
    key = _key(owner)
    window = manual_windows.put(key=key, given=WindowInput(limit=100), by=owner)
    return {"<int:key_id>": key.pk, "/proxy/<": key.api_name, "/rate-limits/<": key.api_name, "<int:window_id>": window.pk}


def _key(owner: User) -> ApiKey:
    return keys.create(
        given=KeyInput(api_name="theirs", api_key="a-secret-of-theirs", base_url="https://api.example.com"), by=owner
    )
