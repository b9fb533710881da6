"""The four objectives in JAX: arrays, jit, float64. Methods are those of the files of scalar code."""

import jax
import jax.numpy as jnp
import numpy as np
from gmm import constants
from hand import FINGER, FINGERS


def arrays(found):
    return [np.asarray(array) for array in jax.block_until_ready(found)]


class Side:
    """`objective` and `derivatives` are compiled functions of `arguments`, and give lists of arrays."""

    def objective(self):
        return arrays(self.compiled(*self.arguments))

    def gradient(self):
        return arrays(self.derivatives(*self.arguments))

    jacobian = gradient


class GMM(Side):

    def __init__(self, mixture):
        alphas, means, factors, points, gamma, m = mixture
        count, d = means.shape
        column, row = np.triu_indices(d, 1)         # of what is below a diagonal, column by column
        constant = constants(len(points), d, count, gamma, m)

        def objective(alphas, means, factors):
            diagonals, below = factors[:, :d], factors[:, d:]
            sizes = diagonals.sum(axis=1)
            triangles = jnp.zeros((count, d, d)).at[:, row, column].set(below)
            triangles = triangles.at[:, np.arange(d), np.arange(d)].set(jnp.exp(diagonals))
            shifts = jnp.einsum("kij,kj->ki", triangles, means)
            turned = (points @ triangles.reshape(-1, d).T).reshape(-1, count, d) - shifts
            terms = alphas + sizes - (turned * turned).sum(axis=2) / 2
            prior = gamma ** 2 / 2 * ((jnp.exp(diagonals) ** 2).sum() + (below ** 2).sum()) - m * sizes.sum()
            normal = len(points) * jax.nn.logsumexp(alphas)
            return jax.nn.logsumexp(terms, axis=1).sum() - normal + prior + constant

        derivatives = jax.grad(objective, argnums=(0, 1, 2))
        self.arguments = [jnp.array(one) for one in (alphas, means, factors)]
        self.compiled = jax.jit(lambda *p: [objective(*p)])
        self.derivatives = jax.jit(lambda *p: [jnp.concatenate([part.ravel() for part in derivatives(*p)])])


def residuals(camera, point, weight, seen):
    turn, away = camera[:3], point - camera[3:6]
    angle = jnp.sqrt(turn @ turn)
    axis = turn / angle
    x = away * jnp.cos(angle) + jnp.cross(axis, away) * jnp.sin(angle)
    x = x + axis * (axis @ away) * (1 - jnp.cos(angle))
    flat = x[:2] / x[2]
    square = flat @ flat
    bend = 1 + camera[9] * square + camera[10] * square ** 2
    return weight * (flat * bend * camera[6] + camera[7:9] - seen)


class BA(Side):

    def __init__(self, bundle):
        def rows(cameras, points, weights, seen, camera_of, point_of):
            return cameras[camera_of], points[point_of], weights, seen

        def objective(*arguments):
            first, second = jax.vmap(residuals)(*rows(*arguments)).T
            return [first, second, 1 - arguments[2] ** 2]

        def jacobian(*arguments):
            cameras, points, weights = jax.vmap(jax.jacrev(residuals, argnums=(0, 1, 2)))(*rows(*arguments))
            return [jnp.concatenate([cameras, points, weights[:, :, None]], axis=2)]

        self.arguments = [jnp.array(one) for one in bundle]
        self.compiled, self.derivatives = jax.jit(objective), jax.jit(jacobian)


class LSTM(Side):

    def __init__(self, text):
        def layer(weights, biases, hidden, cell, x):
            inputs = jnp.concatenate([x, hidden, x, hidden])
            forget, enter, leave, change = jnp.split(inputs * weights + biases, 4)
            cell = cell * jax.nn.sigmoid(forget) + jax.nn.sigmoid(enter) * jnp.tanh(change)
            return jax.nn.sigmoid(leave) * jnp.tanh(cell), cell

        def loss(main, extra):
            def step(state, character):
                x, states = character * extra[0], []
                for k in range(0, len(main), 2):
                    states += layer(main[k], main[k + 1], state[k], state[k + 1], x)
                    x = states[k]
                return jnp.stack(states), x * extra[1] + extra[2]

            scores = jax.lax.scan(step, jnp.array(text.state), jnp.array(text.characters[:-1]))[1]
            normal = jnp.log(2 + jnp.exp(scores).sum(axis=1, keepdims=True))
            return -(text.characters[1:] * (scores - normal)).mean()

        derivatives = jax.grad(loss, argnums=(0, 1))
        self.arguments = [jnp.array(text.main), jnp.array(text.extra)]
        self.compiled = jax.jit(lambda *p: [loss(*p)])
        self.derivatives = jax.jit(lambda *p: [jnp.concatenate([part.ravel() for part in derivatives(*p)])])


class Hand(Side):

    def __init__(self, hand):
        pose, parents, relatives, inverses, vertices, weights, points = hand

        def turns(axis, angle):
            """Rotations about this coordinate axis."""
            c, s, zero, one = jnp.cos(angle), jnp.sin(angle), jnp.zeros_like(angle), jnp.ones_like(angle)
            rows = ([[one, zero, zero], [zero, c, -s], [zero, s, c]] if axis == 0 else
                    [[c, -s, zero], [s, c, zero], [zero, zero, one]])
            return jnp.moveaxis(jnp.array(rows), -1, 0)

        def residuals(pose):
            fingers = pose[6:].reshape(FINGERS, FINGER)
            none, end = jnp.zeros((FINGERS, 1)), jnp.zeros(1)
            # by bone: the wrist and each finger's first turn by nothing, and the last bone
            x = jnp.concatenate([end, jnp.hstack([none, fingers[:, :1], fingers[:, 2:]]).ravel(), end])
            z = jnp.concatenate([end, jnp.hstack([none, fingers[:, 1:2], none, none]).ravel(), end])
            joints = jnp.zeros((len(parents), 4, 4)).at[:, 3, 3].set(1).at[:, :3, :3].set(turns(2, z) @ turns(0, x))
            places = []
            for parent, place in zip(parents, relatives @ joints):
                places.append(place if parent == -1 else places[parent] @ place)
            bones = (jnp.stack(places) @ inverses)[:, :3]
            positions = jnp.einsum("nb,bij,nj->ni", weights, bones, vertices)
            turn, move = pose[:3], pose[3:6]
            angle = jnp.sqrt(turn @ turn)
            axis = turn / angle
            crossed = jnp.cross(axis, positions)
            along = (positions @ axis)[:, None] * axis
            turned = along + (positions - along) * jnp.cos(angle) + crossed * jnp.sin(angle)
            return points - turned - move

        self.arguments = [jnp.array(pose)]
        self.compiled = jax.jit(lambda pose: [residuals(pose)])
        self.derivatives = jax.jit(lambda pose: [jax.jacfwd(residuals)(pose)])
