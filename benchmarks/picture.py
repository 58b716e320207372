"""How figures grow with the number of tasks, as an SVG: each curve in a box of its own, both axes logarithmic."""

from math import ceil, floor, log10

WIDE, HIGH, LEFT, TOP, GAP = 250, 190, 56, 40, 40


def picture(curves):
    width = len(curves) * (WIDE + LEFT + GAP) + GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HIGH + TOP + 56}"',
        ' font-family="sans-serif" font-size="12" fill="#333" stroke-width="1">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, (name, points) in enumerate(curves.items()):
        out += box(GAP + LEFT + number * (WIDE + LEFT + GAP), name, points)
    return "\n".join([*out, "</svg>"]) + "\n"


def box(x0, name, points):
    low, high = floor(log10(min(points.values()))), ceil(log10(max(points.values())) + 1e-9)
    high = max(high, low + 1)
    first, last = log10(min(points)), log10(max(points))

    def at(tasks, value):
        x = x0 + WIDE * (log10(tasks) - first) / (last - first)
        return x, TOP + HIGH * (1 - (log10(value) - low) / (high - low))

    yield f'<text x="{x0}" y="{TOP - 16}" font-size="14">{name}</text>'
    yield f'<rect x="{x0}" y="{TOP}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#bbb"/>'
    for power in range(low, high + 1):
        y = at(min(points), 10**power)[1]
        yield f'<line x1="{x0}" x2="{x0 + WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        yield f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points.items()))
    yield f'<polyline points="{path}" fill="none" stroke="#1667b7" stroke-width="2"/>'
    for tasks, value in points.items():
        x, y = at(tasks, value)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1667b7"/>'
        yield f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{value:.3g}</text>'
        yield f'<text x="{x:.1f}" y="{TOP + HIGH + 18}" text-anchor="middle">{tasks:,}</text>'
    yield f'<text x="{x0 + WIDE / 2}" y="{TOP + HIGH + 38}" text-anchor="middle">tasks</text>'
