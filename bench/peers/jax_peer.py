"""JAX: `jit` on the function, with the name `np` in its module bound to `jax.numpy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers.installed import installed_version


class JaxPeer:
    """In 64 bits, on the CPU. Functions that write to arrays are refused by JAX itself."""

    name = "jax"

    def version(self) -> str | None:
        return installed_version("jax")

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        function.__globals__["np"] = jax.numpy
        compiled = jax.jit(function)

        def call(*arguments: Any) -> Any:
            return jax.block_until_ready(compiled(*arguments))

        return call

    def as_numpy(self, result: Any) -> Any:
        if isinstance(result, tuple | list):
            return tuple(map(self.as_numpy, result))
        return None if result is None else np.asarray(result)
