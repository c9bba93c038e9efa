"""Digits of MNIST for the tests, and what a hand would draw of them."""

import os
import pathlib

SIDE = 28


def folder():
    """Where the lab keeps MNIST."""
    named = os.environ.get("LAB_DATA")
    if named:
        return pathlib.Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "lab" / "mnist"


def images(part):
    """The images of `train` or `t10k`, each of 784 bytes."""
    data = (folder() / f"{part}-images-idx3-ubyte").read_bytes()[16:]
    return [data[start : start + SIDE * SIDE] for start in range(0, len(data), SIDE * SIDE)]


def labels(part):
    """Their digits."""
    return list((folder() / f"{part}-labels-idx1-ubyte").read_bytes()[8:])


def around(x, y):
    """The eight neighbours of a pixel, clockwise from above."""
    return [
        (x, y - 1), (x + 1, y - 1), (x + 1, y), (x + 1, y + 1),
        (x, y + 1), (x - 1, y + 1), (x - 1, y), (x - 1, y - 1),
    ]  # fmt: skip


def thinned(image):
    """The pixels of a digit's middle lines (Zhang & Suen 1984)."""
    ink = {
        (place % SIDE, place // SIDE) for place, value in enumerate(image) if value > 110
    }
    while True:
        before = len(ink)
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            gone = set()
            for pixel in ink:
                ring = [neighbour in ink for neighbour in around(*pixel)]
                turns = sum(not ring[k] and ring[(k + 1) % 8] for k in range(8))
                if (
                    2 <= sum(ring) <= 6
                    and turns == 1
                    and not all(ring[k] for k in first)
                    and not all(ring[k] for k in second)
                ):
                    gone.add(pixel)
            ink -= gone
        if len(ink) == before:
            return ink


def strokes(image):
    """The middle lines as strokes: lists of points (x, y) in pixels."""
    ink = thinned(image)
    edges = set()
    for pixel in ink:
        for place, neighbour in enumerate(around(*pixel)):
            # A corner is walked along its sides.
            corner = place % 2 and (
                (pixel[0], neighbour[1]) in ink or (neighbour[0], pixel[1]) in ink
            )
            if neighbour in ink and not corner:
                edges.add(frozenset((pixel, neighbour)))
    ways = {pixel: [edge for edge in edges if pixel in edge] for pixel in ink}
    result = []
    # From the ends first, so that a line is one stroke.
    for start in sorted(ink, key=lambda pixel: (len(ways[pixel]) != 1, pixel)):
        while True:
            stroke = [start]
            while True:
                left = [edge for edge in ways[stroke[-1]] if edge in edges]
                if not left:
                    break
                # Straight on where there is a choice.
                edge = min(left, key=lambda edge: turn(stroke, edge))
                edges.discard(edge)
                stroke.append(next(iter(edge - {stroke[-1]})))
            if len(stroke) == 1:
                break
            result.append(stroke)
        if not ways[start]:
            result.append([start])
    return result


def turn(stroke, edge):
    """How much a stroke would turn along an edge; equal turns by their place."""
    (x, y) = stroke[-1]
    (u, v) = next(iter(edge - {stroke[-1]}))
    if len(stroke) == 1:
        return (0, u, v)
    (a, b) = stroke[-2]
    return (-((x - a) * (u - x) + (y - b) * (v - y)), u, v)
