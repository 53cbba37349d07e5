"""A browser with a virtual security key, and a person who adds it."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def plug_in_authenticator(page: Page) -> None:
    """A key that is always touched and unlocked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def join_and_add_one(page: Page, link: str, username: str, password: str) -> None:
    """Accept an invitation, then add a passkey; ends on the page with the recovery codes."""
    page.goto(link)
    page.get_by_label("Username").fill(username)
    page.get_by_label("E-mail").fill(f"{username}@example.com")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    page.goto("/settings/security/passkeys/add")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
