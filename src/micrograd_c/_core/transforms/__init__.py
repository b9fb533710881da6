"""Derivatives of any order, of functions and of graphs: grad, jacobians, hessian, jvp, vjp, gradients."""
