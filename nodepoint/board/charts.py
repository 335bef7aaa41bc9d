"""Pictures as data for the theme's chart component, which hands them to Chart.js."""

import json
from typing import Any

from nodepoint.board.registry import Picture, Series

# Told apart by people who see few colours (Okabe and Ito), and readable on white as on black.
PALETTE = ("#0072b2", "#009e73", "#e69f00", "#d55e00", "#56b4e9", "#cc79a7", "#a6891b", "#7a5af8", "#8b95a3")
GREY = "#8b8f98"
THIN = "#8b8f9833"


def value(picture: Picture) -> str:
    """The data of a chart."""
    datasets = [_dataset(place, one, picture) for place, one in enumerate(picture.series)]
    return json.dumps({"labels": list(picture.labels), "datasets": datasets})


def _dataset(place: int, one: Series, picture: Picture) -> dict[str, Any]:
    colour = PALETTE[(place if one.colour is None else one.colour) % len(PALETTE)]
    data = {"label": one.name, "data": list(one.values), "backgroundColor": colour, "borderColor": colour}
    if one.line:
        data |= {"type": "line", "borderWidth": 2, "pointRadius": 2, "spanGaps": True, "order": -1}
    if one.stack:
        data["stack"] = one.stack
    data["xAxisID" if picture.horizontal else "yAxisID"] = "percent" if one.percent else _across(picture)
    return data


def _across(picture: Picture) -> str:
    return "x" if picture.horizontal else "y"


def options(picture: Picture) -> str:
    """How the chart is drawn."""
    stacked = any(one.stack for one in picture.series)
    name = {"display": bool(picture.unit), "text": picture.unit, "color": GREY}
    numbers = {
        "stacked": stacked,
        "beginAtZero": True,
        "suggestedMax": picture.scale,
        "grid": {"color": THIN},
        "ticks": {"color": GREY, "precision": 0},
        "title": name,
    }
    names = {"stacked": stacked, "grid": {"display": False}, "ticks": {"color": GREY, "autoSkip": True}}
    scales = {"x": numbers, "y": names} if picture.horizontal else {"x": names, "y": numbers}
    if any(one.percent for one in picture.series):
        scales["percent"] = {
            "position": "right",
            "min": 0,
            "max": 100,
            "grid": {"display": False},
            "ticks": {"color": GREY},
            "title": {"display": True, "text": "%", "color": GREY},
        }
    legend = {"position": "bottom", "labels": {"color": GREY, "boxWidth": 10, "boxHeight": 10}}
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "indexAxis": "y" if picture.horizontal else "x",
            "interaction": {"mode": "index", "intersect": False},
            "scales": scales,
            "plugins": {"legend": legend},
        }
    )


def table(picture: Picture) -> tuple[list[str], list[list[Any]]]:
    """The same in words: headers and rows."""
    if picture.headers:
        return list(picture.headers), [list(row) for row in picture.rows]
    headers = ["", *(one.name for one in picture.series)]
    columns = [one.values for one in picture.series]
    rows = [
        [label, *(_word(values[place]) for values in columns)] for place, label in enumerate(picture.labels)
    ]
    return headers, rows


def _word(number: float | None) -> str:
    return "–" if number is None else f"{number:g}"
