"""Draws the charts of the measurements as SVG that is readable on light and dark pages."""

import html
import math

COLOURS = {
    "tokencached": ("#0b7285", "#3bc9db"),
    "redis": ("#c92a2a", "#ff8787"),
    "memcached": ("#5c940d", "#a9e34b"),
    "epoll-loop": ("#868e96", "#adb5bd"),
}
"""The colours of the servers on light and on dark pages."""
LINES = ("#868e96", "#e03131", "#2f9e44", "#1c7ed6", "#f08c00", "#9c36b5", "#0c8599", "#74b816", "#e64980")
"""The colours of lines, which are readable on light and on dark pages."""
NAMES = {"tokencached": "tokencached", "redis": "Redis", "memcached": "memcached", "epoll-loop": "bare epoll loop"}
WIDTH = 880
LEFT, RIGHT = 74, 16
FONT = "font-family:system-ui,sans-serif;font-size:12px"


class Drawing:
    """The elements of a chart."""

    def __init__(self, title, height):
        self._title, self._height = title, height
        self._parts = []

    def text(self, x, y, content, anchor="start", style="", turn=False):
        """Adds text, turned upwards if it stands beside an axis."""
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self._parts.append(f'<text {place} class="{style or "ink"}"{turned}>{html.escape(content)}</text>')

    def line(self, x1, y1, x2, y2, style="grid"):
        """Adds a line."""
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def box(self, x, y, width, height, style, title):
        """Adds a filled rectangle, which tells its value when pointed at."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height, 0.5):.1f}" class="{style}">'
            f"<title>{html.escape(title)}</title></rect>"
        )

    def dot(self, x, y, style, title):
        """Adds a dot, which tells its value when pointed at."""
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="{style}"><title>{html.escape(title)}</title></circle>'
        )

    def path(self, points, colour):
        """Adds a line through points."""
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{steps}" fill="none" stroke="{colour}" stroke-width="1.8"/>')

    def raw(self, part):
        """Adds an element."""
        self._parts.append(part)

    def svg(self):
        """Returns the chart."""
        light = "".join(f".{name}{{fill:{colours[0]}}}" for name, colours in COLOURS.items())
        dark = "".join(f".{name}{{fill:{colours[1]}}}" for name, colours in COLOURS.items())
        style = (
            f"text{{{FONT}}}.ink{{fill:#212529}}.faint{{fill:#495057;font-size:11px}}.head{{fill:#212529;font-weight:600}}"
            f".grid{{stroke:#ced4da}}.axis{{stroke:#495057}}{light}"
            f"@media(prefers-color-scheme:dark){{.ink,.head{{fill:#f1f3f5}}.faint{{fill:#ced4da}}.grid{{stroke:#495057}}"
            f".axis{{stroke:#ced4da}}{dark}}}"
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height}" role="img">\n'
            f"<title>{html.escape(self._title)}</title>\n<style>{style}</style>\n"
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )


class Scale:
    """A logarithmic axis from the bottom of a panel to its top."""

    def __init__(self, values, top, bottom):
        self._low = 10 ** math.floor(math.log10(min(values)))
        self._high = 10 ** math.ceil(math.log10(max(values)))
        self._top, self.bottom = top, bottom

    def y(self, value):
        """Returns the height at which a value lies."""
        share = math.log10(value / self._low) / math.log10(self._high / self._low)
        return self.bottom - share * (self.bottom - self._top)

    def draw(self, drawing, title):
        """Draws the lines of the powers of ten, with their values."""
        value = self._low
        while value <= self._high * 1.001:
            drawing.line(LEFT, self.y(value), WIDTH - RIGHT, self.y(value))
            drawing.text(LEFT - 6, self.y(value) + 4, short(value), "end", "faint")
            value *= 10
        drawing.text(18, (self._top + self.bottom) / 2, title, "middle", turn=True)


def short(value):
    """Returns a number with few digits."""
    for limit, suffix in ((1_000_000, " M"), (1_000, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def brief(value):
    """Returns a number of thousands or millions with two or three digits."""
    return f"{value / 1_000:.0f}k" if value < 999_500 else f"{value / 1_000_000:.1f}M"


def hits(title, results):
    """Draws the requests a second as bars, and the times as a span from p50 to p99.9, on logarithmic axes."""
    rows = results["rows"]
    drawing = Drawing(
        "Requests a second and times of replies, by the number of connections and requests in flight", 620
    )
    legend(drawing)
    found = [server for row in rows for server in row["servers"].values()]
    rates = Scale([server["per_second"] for server in found], 60, 310)
    times = Scale([server[name] for server in found for name in ("p50", "p999")], 350, 560)
    rates.draw(drawing, "requests a second")
    times.draw(drawing, "p50, p99 and p99.9 in µs")
    column = (WIDTH - LEFT - RIGHT) / len(rows)
    for number, row in enumerate(rows):
        left = LEFT + number * column
        bar = column / (len(row["servers"]) + 1)
        for place, (name, server) in enumerate(row["servers"].items()):
            draw_server(drawing, rates, times, left + (place + 0.5) * bar, bar, name, server)
        load = f"{row['connections']} \N{MULTIPLICATION SIGN} {row['in_flight']}"
        drawing.text(left + column / 2, 580, load, "middle")
    drawing.line(LEFT, rates.bottom, WIDTH - RIGHT, rates.bottom, "axis")
    drawing.line(LEFT, times.bottom, WIDTH - RIGHT, times.bottom, "axis")
    drawing.text(
        (LEFT + WIDTH - RIGHT) / 2, 604, "connections \N{MULTIPLICATION SIGN} requests in flight on each", "middle"
    )
    return drawing.svg()


def draw_server(drawing, rates, times, x, width, name, server):
    """Draws one server's bar and span."""
    top = rates.y(server["per_second"])
    title = f"{NAMES[name]}: {server['per_second']:,.0f} requests a second"
    drawing.box(x, top, width - 3, rates.bottom - top, name, title)
    drawing.text(x + (width - 3) / 2, top - 4, brief(server["per_second"]), "middle", "faint")
    high, low = times.y(server["p999"]), times.y(server["p50"])
    middle = x + (width - 3) / 2
    drawing.box(middle - 1.5, high, 3, low - high, name, f"{NAMES[name]}: p50 to p99.9")
    for quantile, label in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")):
        drawing.dot(middle, times.y(server[quantile]), name, f"{NAMES[name]}: {label} {server[quantile]:,.1f} µs")


def legend(drawing):
    """Draws the servers' names and colours."""
    for number, name in enumerate(COLOURS):
        x = LEFT + number * 150
        drawing.box(x, 16, 12, 12, name, NAMES[name])
        drawing.text(x + 18, 27, NAMES[name])


def curves(title, results):
    """Draws the longest time of a hit by the number of tokens, on logarithmic axes, a line for each kind of work."""
    sizes = {int(size): found for size, found in results["sizes"].items()}
    titles = list(next(iter(sizes.values())))
    drawing = Drawing(title, 470)
    scale = Scale([found[title]["longest"] for found in sizes.values() for title in titles], 20, 330)
    scale.draw(drawing, "longest time of a hit in µs")
    lowest, highest = math.log10(min(sizes)) - 0.15, math.log10(max(sizes)) + 0.15

    def x(size):
        return LEFT + (math.log10(size) - lowest) / (highest - lowest) * (WIDTH - LEFT - RIGHT)

    for size in sizes:
        drawing.text(x(size), 348, f"{size:,}", "middle", "faint")
    drawing.line(LEFT, scale.bottom, WIDTH - RIGHT, scale.bottom, "axis")
    drawing.text((LEFT + WIDTH - RIGHT) / 2, 370, "tokens", "middle")
    for number, kind in enumerate(titles):
        colour = LINES[number % len(LINES)]
        points = [(x(size), scale.y(found[kind]["longest"])) for size, found in sorted(sizes.items())]
        drawing.path(points, colour)
        for px, py in points:
            drawing.raw(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>')
        column, line = number % 3, number // 3
        drawing.raw(f'<rect x="{LEFT + column * 265}" y="{390 + line * 22}" width="12" height="12" fill="{colour}"/>')
        drawing.text(LEFT + column * 265 + 18, 401 + line * 22, kind)
    return drawing.svg()


CHARTS = {
    "hits": ("Requests a second and times of replies, by connections and requests in flight", hits),
    "curves": ("The longest time of a hit while something happens to all tokens, by their number", curves),
}
"""The title and the function of each chart, by the name of the measurement."""
