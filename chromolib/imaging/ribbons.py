"""A clump of chromosomes read as ribbons of one width that meet, cross or lie apart.

`trace(mask, width)` -> [Ribbon, ...]

Strategy: branches of the skeleton that only run into the corner of a rounded end go.
What is left is cut where it branches, over as much of it as the clump is deep there, so
that the free stretches of ribbons remain. At every junction the two stretches that
continue one another best become one ribbon, then the next two; what finds no partner
ends there. Four stretches or more make a crossing, three a touch.
"""

import dataclasses
import itertools

import numpy as np
from scipy import ndimage, spatial
from skimage import morphology

BLOCK = np.ones((3, 3), bool)
SPUR = 0.2  # of the width: a shorter stretch with a free end is no ribbon
CORNER = 1.1  # of the depth at a junction: as far as it is to a rounded corner
BRIDGE = 0.8  # of the width: a shorter stretch between two junctions makes them one
REACH = 1.2  # of the width: how far back a stretch is looked at for its direction
BEND = 75  # degrees a ribbon may turn at a junction
KINK = 100  # degrees it may turn where no third stretch ends


@dataclasses.dataclass(frozen=True, eq=False)
class Ribbon:
    """The middle line of what may be one chromosome."""

    points: np.ndarray  # (k, 2) row, column along the line
    radius: np.ndarray  # (k,) half the clump's width there
    meets: int  # stretches at its busiest junction; 0 where it lies free
    turn: float  # degrees, its sharpest turn at a junction
    stops: int  # ends that lie at a junction, where another may hide the rest

    @property
    def length(self):
        """Along the line and on to the rim of the clump at both ends."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum()
        return float(steps + self.radius[0] + self.radius[-1])


@dataclasses.dataclass(frozen=True, eq=False)
class _Stretch:
    points: np.ndarray  # (k, 2) in order
    ends: tuple  # the junction at its first and at its last point, 0 for a free end


def trace(mask, width):
    """The ribbons of a clump, for the width that a chromosome has in this field."""
    mask = np.pad(mask, 1)
    depth = ndimage.distance_transform_edt(mask)
    skeleton = _pruned(morphology.skeletonize(mask), depth)
    stretches = _stretches(skeleton, depth, width)
    if not stretches:
        stretches = [_Stretch(np.argwhere(depth == depth.max())[:1], (0, 0))]
    links, meets, turns = _links(stretches, width)
    return [
        _ribbon(chain, stretches, depth, meets, turns)
        for chain in _chains(len(stretches), links)
    ]


def _pruned(skeleton, depth):
    """The skeleton without the branches that run into the corners of rounded ends."""
    for _ in range(2):
        near = _branching(skeleton)
        if not near.any():
            break
        near = ndimage.binary_dilation(near, BLOCK) & skeleton
        label, n = ndimage.label(skeleton & ~near, BLOCK)
        line = label > 0
        deep, ended = np.zeros(n + 1), np.zeros(n + 1, bool)
        by = ndimage.maximum_filter(depth * near, 3)  # of the junction it is next to
        np.maximum.at(deep, label[line], by[line])
        ended[label[line & (_neighbours(skeleton) == 1)]] = True
        size = np.bincount(label.ravel(), minlength=n + 1)
        corner = ended & (size < CORNER * deep)
        corner[0] = False
        skeleton = morphology.skeletonize(skeleton & ~corner[label])
    return skeleton


def _branching(skeleton):
    return skeleton & (_neighbours(skeleton) > 2)


def _neighbours(skeleton):
    line = skeleton.astype(np.uint8)
    return ndimage.correlate(line, BLOCK.astype(np.uint8), mode="constant") - line


def _stretches(skeleton, depth, width):
    """The stretches between the junctions, without those that end in a corner."""
    zone = _junctions(skeleton, depth)
    stretches = _between(skeleton, zone)
    bridges = [s for s in stretches if all(s.ends) and len(s.points) < BRIDGE * width]
    if bridges:
        for bridge in bridges:
            zone[tuple(bridge.points.T)] = True
        stretches = _between(skeleton, zone)
    return [
        s
        for s in stretches
        if all(s.ends) or not any(s.ends) or len(s.points) >= SPUR * width
    ]


def _junctions(skeleton, depth):
    """Skeleton pixels that lie within the clump's own depth of a branching."""
    branching, line = np.argwhere(_branching(skeleton)), np.argwhere(skeleton)
    distance = spatial.distance.cdist(line, branching)
    zone = np.zeros_like(skeleton)
    zone[tuple(line[(distance <= depth[tuple(branching.T)]).any(1)].T)] = True
    return zone


def _between(skeleton, zone):
    """The stretches of a skeleton without its junctions, each in order."""
    junctions, _ = ndimage.label(zone, BLOCK)
    label, n = ndimage.label(skeleton & ~zone, BLOCK)
    stretches = []
    for k, place in enumerate(ndimage.find_objects(label, n), 1):
        corner = np.array([side.start for side in place])
        points = _ordered(np.argwhere(label[place] == k)) + corner
        ends = [
            int(junctions[r - 1 : r + 2, c - 1 : c + 2].max())
            for r, c in points[[0, -1]]
        ]
        if len(points) == 1:  # it touches a junction with one of its ends only
            ends[1] = 0
        stretches.append(_Stretch(points, tuple(ends)))
    return stretches


def _ordered(points):
    """Pixels of a line one pixel wide, from one end to the other."""
    wide = int(points[:, 1].max()) + 3
    # one number a pixel; straight neighbours come before diagonal ones
    steps = (-wide, wide, -1, 1, -wide - 1, 1 - wide, wide - 1, wide + 1)
    left = set((points @ [wide, 1] + 1).tolist())
    ends = (p for p in sorted(left) if sum(p + step in left for step in steps) < 2)
    here = next(ends, min(left))
    line = [here]
    left.remove(here)
    while (
        here := next((here + s for s in steps if here + s in left), None)
    ) is not None:
        line.append(here)
        left.remove(here)
    line = np.array(line) - 1
    return np.stack([line // wide, line % wide], 1)


def _links(stretches, width):
    """Which ends continue which: {(stretch, end): (stretch, end)}, and at what turn."""
    at = {}
    for k, stretch in enumerate(stretches):
        for end, junction in enumerate(stretch.ends):
            if junction:
                at.setdefault(junction, []).append((k, end))
    links, meets, turns = {}, {}, {}
    for ends in at.values():
        if len(ends) > 2:
            meets |= {k: max(meets.get(k, 0), len(ends)) for k, _ in ends}
        for turn, one, other in _pairs(ends, stretches, width):
            links |= {one: other, other: one}
            turns |= {one: turn, other: turn}
    return links, meets, turns


def _pairs(ends, stretches, width):
    """The straightest pairs of ends at one junction, each end in one pair at most."""
    way = {(k, end): _direction(stretches[k], end, width) for k, end in ends}
    limit = KINK if len(ends) == 2 else BEND
    options = []
    for other, one in itertools.combinations(ends, 2):
        turn = _angle(way[one], -way[other])
        at, to = (stretches[k].points[-end] for k, end in (one, other))
        if np.linalg.norm(to - at) > 2:
            aside = _angle(way[one], to - at) + _angle(to - at, -way[other])
            turn = max(turn, aside / 2)
        if turn <= limit and one[0] != other[0]:
            options.append((turn, one, other))
    taken, chosen = set(), []
    for turn, one, other in sorted(options):
        if one not in taken and other not in taken:
            taken |= {one, other}
            chosen.append((turn, one, other))
    return chosen


def _direction(stretch, end, width):
    """Which way the stretch runs out at this end, as a unit vector."""
    points = stretch.points[::-1] if end == 0 else stretch.points
    back = points[-1 - min(len(points) - 1, int(REACH * width))]
    way = points[-1] - back
    return way / max(np.linalg.norm(way), 1e-9)


def _angle(one, other):
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(one @ other / max(size, 1e-9), -1, 1))))


def _chains(n, links):
    """Stretches in the order in which they follow one another: [[(k, first end)...]]"""
    seen, chains = set(), []
    starts = [(k, e) for k in range(n) for e in (0, 1) if (k, e) not in links]
    for start in starts + [(k, 0) for k in range(n)]:  # rings have no free end
        chain, here = [], start
        while here and here[0] not in seen:
            seen.add(here[0])
            chain.append(here)
            here = links.get((here[0], 1 - here[1]))
        if chain:
            chains.append(chain)
    return chains


def _ribbon(chain, stretches, depth, meets, turns):
    parts = []
    for k, first in chain:
        points = stretches[k].points
        points = points if first == 0 else points[::-1]
        if parts:
            parts.append(_straight(parts[-1][-1], points[0]))
        parts.append(points)
    points = np.concatenate(parts)
    ends = chain[0], (chain[-1][0], 1 - chain[-1][1])
    return Ribbon(
        points - 1,  # without the padding
        depth[tuple(points.T)],
        max(meets.get(k, 0) for k, _ in chain),
        max((turns.get(end, 0.0) for end in chain[1:]), default=0.0),
        sum(stretches[k].ends[end] > 0 for k, end in ends),
    )


def _straight(start, stop):
    """The pixels between two points."""
    n = int(np.abs(stop - start).max())
    share = np.arange(1, n)[:, None] / max(n, 1)
    return np.round(start + share * (stop - start)).astype(int)
