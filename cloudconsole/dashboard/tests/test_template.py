"""Rules for every template and script: what the content security policy would stop, stops here."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STYLES_AND_SCRIPTS = sorted([*(settings.BASE_DIR / "static").rglob("*.css"), *(settings.BASE_DIR / "static").rglob("*.js")])
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|javascript:|hx-on|hx-vals=.js|<script(?![^>]*\ssrc=)", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]""", re.IGNORECASE)


def name(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_template_has_inline_script_or_style(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", [*TEMPLATES, *STYLES_AND_SCRIPTS], ids=name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert ELSEWHERE.findall(path.read_text()) == []


def rendered(source: str, address: str = "/", **context: object) -> str:
    request = RequestFactory().get(address)
    return Template("{% load console %}" + source).render(Context({"request": request, **context}))


def test_links_keep_the_scope_and_nothing_else() -> None:
    text = rendered('{% scoped "accounts:list" %}', "/?account=a&account=b&environment=staging&page=3&search=x")
    assert text == "/accounts?account=a&amp;account=b&amp;environment=staging"


def test_a_changed_filter_starts_at_the_first_page_again() -> None:
    assert rendered("{% url_with status='ok' %}", "/accounts?account=a&page=3") == "?account=a&amp;status=ok"


def test_the_scope_form_keeps_the_filters() -> None:
    text = rendered("{% keep_filters %}", "/audit?account=a&outcome=failure&before=7")
    assert re.findall(r'name="(\w+)" value="(\w+)"', text) == [("outcome", "failure")]


def test_money_shows_every_digit_on_hover() -> None:
    text = rendered('{% money amount "USD" %}', amount=Decimal("12904.182733"))
    assert text == '<span class="money" title="12,904.182733 USD">$12,904.18</span>'


def test_unknown_money_is_a_dash_with_its_reason() -> None:
    text = rendered('{% money amount "USD" "Access denied" %}', amount=None)
    assert "—" in text
    assert 'title="Access denied"' in text
    assert "0" not in text


@pytest.mark.parametrize(("now", "words"), [("106.2", "6.2 % more"), ("93.8", "6.2 % less"), ("100.01", "about the same")])
def test_a_delta_says_it_in_words(now: str, words: str) -> None:
    assert words in rendered("{% delta now before %}", now=Decimal(now), before=Decimal(100))


def test_text_from_outside_is_escaped_everywhere() -> None:
    hostile = "<script>alert(1)</script>"
    for source in ("{% unknown text %}", "{% pill text %}", '{% progress 1 2 "windows" text %}', "{% icon text %}"):
        assert "<script>" not in rendered(source, text=hostile)
