"""The console's blue for Django's admin, as unfold takes it: 600 is --accent of static/css/tokens.css in light, 400 in dark."""

from __future__ import annotations

PRIMARY = {
    "50": "#f1f5fe",
    "100": "#e8eefc",
    "200": "#ccdafa",
    "300": "#a3bdff",
    "400": "#7ea2ff",
    "500": "#4a78ea",
    "600": "#2457d6",
    "700": "#1b46b4",
    "800": "#1a3b91",
    "900": "#1b3474",
    "950": "#1b2640",
}
