"""Draws the panels of the dashboard from a run under load: a picture for each of its rows.

    python3 picture.py DIRECTORY

Titles, units, legends, colours and places are those of the dashboard.
"""

import itertools
import math
import pathlib
import re
import sys
import tempfile
import time

import matplotlib
import matplotlib.pyplot
import matplotlib.ticker
import numpy
from load import Load, stage
from prometheus import Prometheus, dashboard, with_values
from stage import wait_for

QUIET = 15
"""Seconds of undisturbed load before and after each disturbance, which make the picture readable."""

WIDTH = 13.0
"""Inches of a picture."""

HEIGHT = 0.33
"""Inches of one unit of the dashboard's grid, of which a row is 24 wide."""

MOST_LEGENDS = 10
"""Series of a panel, of which each has a colour."""

SERIES = ["#3274d9", "#56a64b", "#e0752d", "#8f3bb8", "#e02f44", "#1f9e9e", "#b58900", "#7a7a7a", "#c15c9b", "#5a6acf"]
COLOURS = {"green": "#56a64b", "yellow": "#e0b400", "orange": "#f2811d", "red": "#e02f44"}
INK, FAINT = "#24292f", "#d8dee4"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tokencached",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial"],
    "font.size": 7.5,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.prop_cycle": matplotlib.cycler(color=SERIES),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "path.simplify": True,
    "path.simplify_threshold": 0.5,
}


def run_under_load(directory):
    """Runs the daemon under load with a hold and an outage. Returns Prometheus, the beginning and the end."""
    with stage() as place:
        prometheus = Prometheus(directory, place.metrics)
        wait_for_samples(prometheus, 1)
        start = time.time()
        load = Load(place)
        try:
            for act in (load.users, load.throttle, load.operators, load.fail):
                wait_for_samples(prometheus, QUIET)
                act()
            wait_for_samples(prometheus, QUIET // 2)
            load.recover()
            load.users()
            wait_for_samples(prometheus, QUIET)
        finally:
            load.end()
    return prometheus, start, time.time()


def wait_for_samples(prometheus, count):
    """Waits until Prometheus has scraped so many times more."""
    query = "sum(count_over_time(up[10m]))"
    first = prometheus.value(query) or 0
    wait_for(lambda: (prometheus.value(query) or 0) >= first + count, f"{count} scrapes")


def text_of(value, unit, precise=False):
    """Returns a value with its unit, as Grafana writes it."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        for limit, scale, name in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
            if abs(value) < limit:
                return f"{value * scale:.3g} {name}" if value else "0 s"
        return f"{value / 3600:.3g} h"
    if unit == "bytes":
        for limit, name in ((2**40, "GiB"), (2**30, "MiB"), (2**20, "KiB")):
            if abs(value) >= limit / 1024:
                return f"{value / (limit / 1024):.3g} {name}"
        return f"{value:.3g} B"
    suffix = {"reqps": "/s", "cps": "/s", "ops": "/s"}.get(unit, "")
    return f"{value:,.0f}{suffix}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}{suffix}"


def legend_of(template, labels):
    """Returns the name of a series."""
    return re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), template)


class Picture:
    """One row of the dashboard."""

    def __init__(self, title, panels, data):
        self.title, self.panels, self.data = title, panels, data
        self.top = min(panel["gridPos"]["y"] for panel in panels)
        self.rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) - self.top

    def draw(self, file):
        """Draws all panels into a file."""
        height = (self.rows + 1.4) * HEIGHT
        figure = matplotlib.pyplot.figure(figsize=(WIDTH, height), facecolor="white")
        figure.text(0.012, 1 - 0.7 * HEIGHT / height, self.title, fontsize=12, fontweight="bold", va="center")
        for panel in self.panels:
            place = panel["gridPos"]
            bottom = (self.rows - (place["y"] - self.top) - place["h"]) * HEIGHT / height
            self.draw_panel(figure, panel, (place["x"] / 24, bottom, place["w"] / 24, place["h"] * HEIGHT / height))
        figure.savefig(file, metadata={"Date": None, "Creator": None})
        matplotlib.pyplot.close(figure)

    def draw_panel(self, figure, panel, box):
        left, bottom, width, height = box
        unit = 1 / (self.rows + 1.4)
        figure.add_artist(
            matplotlib.patches.FancyBboxPatch(
                (left + 0.004, bottom + 0.15 * unit),
                width - 0.008,
                height - 0.3 * unit,
                boxstyle="round,pad=0,rounding_size=0.003",
                facecolor="white",
                edgecolor=FAINT,
                linewidth=0.8,
                transform=figure.transFigure,
                zorder=-1,
            )
        )
        style = {"fontsize": 8.5, "fontweight": "bold", "va": "center"}
        figure.text(left + 0.012, bottom + height - 0.65 * unit, panel["title"], **style)
        kind = panel["type"]
        if kind == "stat":
            self.draw_values(figure, panel, box)
            return
        legend = self.draw_legend(figure, panel, left, bottom, width, unit)
        margin = 0.05 if kind == "timeseries" else 0.014
        area = (left + margin, bottom + legend + 0.75 * unit, width - margin - 0.014, height - legend - 2.0 * unit)
        axes = figure.add_axes(area)
        if kind == "timeseries":
            self.draw_lines(axes, panel)
        else:
            self.draw_states(axes, panel)

    def series(self, panel):
        """Returns the names and the points of the panel's series."""
        found = [
            (legend_of(target["legendFormat"], labels), points)
            for target in panel["targets"]
            for labels, points in self.data[target["expr"]]
        ]
        return found[:MOST_LEGENDS]

    def draw_lines(self, axes, panel):
        defaults = panel["fieldConfig"]["defaults"]
        is_stack = defaults["custom"]["stacking"]["mode"] == "normal"
        times = numpy.arange(self.data["start"], self.data["stop"])
        base, highest = numpy.zeros(len(times)), 0
        for (_, points), colour in zip(self.series(panel), SERIES):
            known = {round(when - self.data["start"]): value for when, value in points}
            values = numpy.array([known.get(offset, numpy.nan) for offset in range(len(times))])
            highest = max(highest, numpy.nanmax(values))
            if is_stack:
                upper = base + numpy.nan_to_num(values)
                axes.fill_between(times, base, upper, where=upper > base, color=colour, alpha=0.3, linewidth=0)
                axes.plot(times, numpy.where(upper > base, upper, numpy.nan), linewidth=0.8, color=colour)
                base = upper
            else:
                axes.plot(times, values, linewidth=1.1, color=colour)
        axes.set_ylim(bottom=defaults.get("min"), top=defaults.get("max"))
        if highest == 0:
            axes.set_ylim(0, 1)
        axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
        axes.yaxis.set_major_formatter(lambda value, _: text_of(value, defaults["unit"]))
        axes.grid(axis="y")
        self.set_times(axes)

    def draw_states(self, axes, panel):
        options = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
        found = self.series(panel)
        for row, (name, points) in enumerate(reversed(found)):
            for value, group in itertools.groupby(points, key=lambda point: point[1]):
                times = [when for when, _ in group]
                colour = COLOURS[options[str(int(value))]["color"]]
                axes.barh(row, times[-1] + 1 - times[0], left=times[0], height=0.55, color=colour)
            axes.text(self.data["start"], row + 0.36, name, fontsize=7, va="bottom")
        axes.set_ylim(-0.5, max(1.7, len(found) - 0.2))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        self.set_times(axes)

    def set_times(self, axes):
        start = self.data["start"]
        axes.set_xlim(start, self.data["stop"])
        axes.set_xticks([start + offset for offset in range(20, int(self.data["stop"] - start) + 1, 20)])
        axes.xaxis.set_major_formatter(lambda value, _: f"{round(value - start) // 60}:{round(value - start) % 60:02}")
        axes.tick_params(length=0)

    def draw_legend(self, figure, panel, left, bottom, width, unit):
        """Draws the names of the series or of the states, and returns the height that they take."""
        if panel["type"] == "timeseries":
            names = [name for name, _ in self.series(panel)]
            handles = [matplotlib.lines.Line2D([], [], color=colour, linewidth=1.4) for colour in SERIES]
        else:
            options = panel["fieldConfig"]["defaults"]["mappings"][0]["options"].values()
            names = [option["text"] for option in options]
            handles = [matplotlib.patches.Patch(color=COLOURS[option["color"]]) for option in options]
        columns = max(1, min(len(names), int(width * WIDTH * 72 / (max(map(len, names)) * 3.9 + 24))))
        figure.legend(
            handles[: len(names)],
            names,
            loc="lower left",
            bbox_to_anchor=(left + 0.008, bottom + 0.2 * unit),
            ncol=columns,
            frameon=False,
            fontsize=6.8,
            handlelength=1.1,
            handletextpad=0.5,
            columnspacing=1.2,
            labelspacing=0.25,
            borderpad=0.2,
        )
        return (0.5 + 0.36 * math.ceil(len(names) / columns)) * unit

    def draw_values(self, figure, panel, box):
        left, bottom, width, height = box
        defaults = panel["fieldConfig"]["defaults"]
        name, points = self.series(panel)[-1]
        value = points[-1][1]
        text, colour = text_of(value, defaults["unit"]), COLOURS["green"]
        for step in defaults.get("thresholds", {}).get("steps", []):
            if step["value"] is None or value >= step["value"]:
                colour = COLOURS[step["color"]]
        if "mappings" in defaults:
            option = defaults["mappings"][0]["options"][str(int(value))]
            text, colour = option["text"], COLOURS[option["color"]]
        if panel["options"]["textMode"] == "name":
            name, text = name.split()
        middle = left + width / 2
        figure.text(middle, bottom + height * 0.45, text, fontsize=17, color=colour, ha="center", va="center")
        figure.text(middle, bottom + height * 0.18, name, fontsize=7, ha="center", va="center")


def main(directory):
    """Runs the load and draws the pictures."""
    directory = pathlib.Path(directory)
    directory.mkdir(exist_ok=True)
    matplotlib.use("svg")
    matplotlib.rcParams.update(STYLE)
    with tempfile.TemporaryDirectory() as work:
        prometheus, start, stop = run_under_load(pathlib.Path(work))
        try:
            data = {"start": start, "stop": stop}
            for panel in dashboard()["panels"]:
                for target in panel.get("targets", []):
                    data[target["expr"]] = prometheus.series(with_values(target["expr"]), start, stop)
        finally:
            prometheus.end()
    rows, title = {}, ""
    for panel in dashboard()["panels"]:
        if panel["type"] == "row":
            title = panel["title"]
        else:
            rows.setdefault(title, []).append(panel)
    # A row without data, such as that of the fleet, has no picture.
    shown = {
        title: panels
        for title, panels in rows.items()
        if any(data[target["expr"]] for panel in panels for target in panel.get("targets", []))
    }
    for title, panels in shown.items():
        Picture(title, panels, data).draw(directory / f"dashboard-{title.lower()}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
