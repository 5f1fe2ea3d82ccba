"""torch.compile, which traces NumPy functions as they are and runs them as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.peers.installed import installed_version


class TorchPeer:
    """Shapes are fixed (`dynamic=False`), which is fastest; parts it cannot take run eagerly."""

    name = "torch.compile"

    def version(self) -> str | None:
        return installed_version("torch")

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import torch

        torch.compiler.reset()
        compiled: Callable[..., Any] = torch.compile(function, dynamic=False)
        return compiled

    def as_numpy(self, result: Any) -> Any:
        return result
