"""Fields that say what they take."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ChoiceField(serializers.ChoiceField):
    """Lists its choices to whoever sent something else."""

    def fail(self, key: str, **options: Any) -> Any:
        if key == "invalid_choice":
            raise serializers.ValidationError(f"One of: {', '.join(map(str, self.choices))}.", code=key)
        return super().fail(key, **options)
