"""A clump of chromosomes read as ribbons of one width that meet, cross or lie apart.

`trace(mask, width)` -> [Ribbon, ...]

Strategy: branches of the skeleton that only run into the corner of a rounded end go.
What is left is cut where it branches, over as much of it as the clump is deep there, so
that the free stretches of ribbons remain. At every junction the two stretches that
continue one another best become one ribbon, then the next two; what finds no partner
ends there. Four stretches or more make a crossing, three a touch.
"""

import dataclasses

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
    zone = _zones(skeleton, depth)
    found = _between(skeleton, zone)
    bridges = [s for s in found if all(s.ends) and len(s.points) < BRIDGE * width]
    for one in bridges:
        zone[tuple(one.points.T)] = True
    if bridges:
        found = _between(skeleton, zone)
    return [s for s in found if not _corner(s, width)]


def _between(skeleton, zone):
    return _free(skeleton & ~zone, ndimage.label(zone, BLOCK)[0])


def _zones(skeleton, depth):
    """Skeleton pixels that lie within the clump's own depth of a branching."""
    branching = np.argwhere(_branching(skeleton))
    zone = np.zeros_like(skeleton)
    if len(branching):
        line = np.argwhere(skeleton)
        apart = spatial.distance.cdist(line, branching)
        near = (apart <= depth[tuple(branching.T)]).any(1)
        zone[tuple(line[near].T)] = True
    return zone


def _corner(stretch, width):
    free = not all(stretch.ends)
    return free and any(stretch.ends) and len(stretch.points) < SPUR * width


def _free(lines, zones):
    """The stretches of a skeleton without its junctions, each in order."""
    label, n = ndimage.label(lines, BLOCK)
    found = []
    for k, place in enumerate(ndimage.find_objects(label, n), 1):
        corner = np.array([part.start for part in place])
        points = _ordered(np.argwhere(label[place] == k)) + corner
        found.append(_Stretch(points, tuple(_zone(p, zones) for p in points[[0, -1]])))
    return [_one_ended(s) for s in found]


def _one_ended(stretch):
    """A stretch of one pixel touches a junction with one of its ends only."""
    if len(stretch.points) == 1:
        return _Stretch(stretch.points, (stretch.ends[0], 0))
    return stretch


def _zone(point, zones):
    row, column = point
    return int(zones[row - 1 : row + 2, column - 1 : column + 2].max())


def _ordered(points):
    """Pixels of a line one pixel wide, from one end to the other."""
    wide = int(points[:, 1].max()) + 3
    # one number a pixel; straight neighbours come before diagonal ones
    steps = (-wide, wide, -1, 1, -wide - 1, 1 - wide, wide - 1, wide + 1)
    left = set((points @ [wide, 1] + 1).tolist())
    here = next((p for p in sorted(left) if _last(p, left, steps)), min(left))
    line = [here]
    left.remove(here)
    while left:
        here = next((here + s for s in steps if here + s in left), None)
        if here is None:
            break
        line.append(here)
        left.remove(here)
    line = np.array(line) - 1
    return np.stack([line // wide, line % wide], 1)


def _last(pixel, line, steps):
    return sum(pixel + s in line for s in steps) < 2


def _links(stretches, width):
    """Which ends continue which: {(stretch, end): (stretch, end)}, and at what turn."""
    at = {}
    for k, one in enumerate(stretches):
        for end, zone in enumerate(one.ends):
            if zone:
                at.setdefault(zone, []).append((k, end))
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
    way = [_direction(stretches[k], end, width) for k, end in ends]
    at = [stretches[k].points[-end] for k, end in ends]
    limit = KINK if len(ends) == 2 else BEND
    options = []
    for i in range(len(ends)):
        for j in range(i):
            turn = _angle(way[i], -way[j])
            across = at[j] - at[i]
            if np.linalg.norm(across) > 2:
                aside = (_angle(way[i], across) + _angle(across, -way[j])) / 2
                turn = max(turn, aside)
            if turn <= limit and ends[i][0] != ends[j][0]:
                options.append((turn, ends[i], ends[j]))
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
