"""Inputs of the objectives: ADBench's own files in data/, and random ones of the same shapes."""

import json
import pathlib
from typing import NamedTuple

import numpy as np

DATA = pathlib.Path(__file__).with_name("data")
CAMERA = 11         # numbers of one


class Mixture(NamedTuple):
    """K Gaussians in d dimensions, and points; gamma and m are Wishart's, the prior's."""
    alphas: np.ndarray      # K
    means: np.ndarray       # K, d
    factors: np.ndarray     # K, d logarithms of a triangle's diagonal, and the d (d - 1) / 2 numbers below, by columns
    points: np.ndarray      # n, d
    gamma: float
    m: int


class Bundle(NamedTuple):
    """What cameras saw of points: an observation a row."""
    cameras: np.ndarray     # n, 11
    points: np.ndarray      # m, 3
    weights: np.ndarray     # p
    seen: np.ndarray        # p, 2
    camera_of: np.ndarray   # p indices
    point_of: np.ndarray    # p


class Text(NamedTuple):
    """A net's parameters and state, and characters as rows of bits."""
    main: np.ndarray        # two rows a layer, weights and biases: of the four gates, one after the other
    extra: np.ndarray       # 3, bits
    state: np.ndarray       # two rows a layer, hidden and cell
    characters: np.ndarray  # count, bits


class Hand(NamedTuple):
    """A hand of bones, the vertices of its skin that are looked for, and where they are."""
    pose: np.ndarray        # 26
    parents: list           # of each bone, -1 for none
    relatives: np.ndarray   # bones, 4, 4: from a bone to its parent
    inverses: np.ndarray    # bones, 4, 4
    vertices: np.ndarray    # n, 4, at rest
    weights: np.ndarray     # n, bones: how far a vertex follows each
    points: np.ndarray      # n, 3


def published():
    """The numbers that ADBench's own tests expect."""
    return json.loads((DATA / "expected.json").read_text(encoding="utf-8"))


def rows(lines, count):
    return np.array([[float(number) for number in next(lines).split()] for _ in range(count)])


def lines_of(name):
    """The lines that are not empty; the first one as ints."""
    lines = (line for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line.strip())
    return [int(number) for number in next(lines).split()], lines


def mixture(name):
    (_, count, n), lines = lines_of(name)
    alphas, means, factors, points = (rows(lines, many) for many in (count, count, count, n))
    gamma, m = next(lines).split()
    return Mixture(alphas[:, 0], means, factors, points, float(gamma), int(m))


def random_mixture(n, d, count):
    random = np.random.RandomState(d)
    factors = random.randn(count, d * (d + 1) // 2) / d
    return Mixture(random.randn(count), random.rand(count, d), factors, random.randn(n, d), 1.0, 0)


def bundle(name):
    """The file has one of each, which stands for all."""
    (cameras, points, count), lines = lines_of(name)
    camera, point, weight, seen = (rows(lines, 1) for _ in range(4))
    every = np.arange(count)
    return Bundle(camera.repeat(cameras, 0), point.repeat(points, 0), weight[0].repeat(count), seen.repeat(count, 0),
                  every % cameras, every % points)


def random_bundle(cameras, points, count):
    random = np.random.RandomState(0)
    return Bundle(random.randn(cameras, CAMERA) * 0.05 + 0.3, random.randn(points, 3) * 0.3 + [0, 0, 20],
                  random.rand(count), random.randn(count, 2), random.randint(cameras, size=count),
                  random.randint(points, size=count))


def text(name):
    (layers, count, _), lines = lines_of(name)
    return Text(rows(lines, 2 * layers), rows(lines, 3), rows(lines, 2 * layers), rows(lines, count))


def hand(name):
    (count, _), lines = lines_of(name)
    found = rows(lines, count)
    pose = np.array([float(line) for line in lines])
    bones = [line.split(":") for line in (DATA / "hand_model_bones.txt").read_text(encoding="utf-8").splitlines()]
    matrices = np.array([bone[2:34] for bone in bones], dtype=float).reshape(len(bones), 2, 4, 4)
    skin = (DATA / "hand_model_vertices.txt").read_text(encoding="utf-8").splitlines()
    vertices, weights = np.ones((count, 4)), np.zeros((count, len(bones)))
    for k, place in enumerate(found[:, 0].astype(int)):
        fields = skin[place].split(":")
        vertices[k, :3] = [float(field) for field in fields[:3]]
        for bone, weight in zip(fields[9::2], fields[10::2]):
            weights[k, int(bone)] = float(weight)
    return Hand(pose, [int(bone[1]) for bone in bones], matrices[:, 0], matrices[:, 1], vertices, weights, found[:, 1:])
