"""Drawn chromosomes: a striped ribbon along a known curve, so that truth is known."""

import numpy as np
from scipy import spatial

from chromolib.imaging import direction

STRIPES = np.array([0.9, 0.4, 1, 0.5, 0.5, 0.9, 0.4, 0.8, 1, 0.4, 0.7, 0.95])


def draw(points, *, width=14, stripes=STRIPES, waist=0.35, dark=True, margin=8):
    """A ribbon along points (n, 2) x, y: picture uint8, its length and its bands.

    It has flat ends, a waist at the share `waist` of its length and hard edges.
    """
    points = np.asarray(points, float)
    points = points - points.min(0) + width / 2 + margin
    at = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    fine = np.linspace(0, at[-1], 20 * len(points))
    line = np.stack([np.interp(fine, at, points[:, k]) for k in (0, 1)], 1)
    along = np.gradient(line, axis=0)
    along /= np.hypot(*along.T)[:, None]
    right, down = np.ceil(line.max(0) + width / 2 + margin).astype(int)
    y, x = np.mgrid[:down, :right]
    place = np.stack([x.ravel(), y.ravel()], 1)
    away, near = spatial.cKDTree(line).query(place)
    beyond = np.abs(((place - line[near]) * along[near]).sum(1)) > 0.6
    share = fine[near] / at[-1]
    half = width / 2 * (1 - 0.3 * np.exp(-(((share - waist) * 25) ** 2)))
    band = np.interp(share, (np.arange(len(stripes)) + 0.5) / len(stripes), stripes)
    stain = np.where((away <= half) & ~beyond, band, 0).reshape(down, right)
    image = np.round(230 * stain).astype(np.uint8)
    return (255 - image if dark else image), at[-1], stripes


def profile(straight, samples=64):
    """Mean ink across the width along the axis of a straightened one; mean 0, sd 1."""
    raw = straight.ink.sum(1) / np.maximum(straight.mask.sum(1), 1)
    raw = direction.resampled(raw, samples)
    return (raw - raw.mean()) / max(raw.std(), 1e-6)


def arc(angle, length=100):
    """Points of an arc of that length that turns by `angle` radians; 0 is straight."""
    turn = np.linspace(-angle / 2, angle / 2, 200)
    step = np.stack([np.sin(turn), np.cos(turn)], 1) * length / 200
    return np.cumsum(step, 0)


def wave(length=110):
    """Points of a gentle S."""
    t = np.linspace(0, 1, 300)
    points = np.stack([14 * np.sin(2 * np.pi * t), 100 * t], 1)
    run = np.hypot(*np.diff(points, axis=0).T).sum()
    return points * length / run
