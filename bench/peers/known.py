"""The list of peers; a new one is an entry here and a file beside this one."""

from __future__ import annotations

from bench.peers.jax_peer import JaxPeer
from bench.peers.numba_peer import NumbaPeer
from bench.peers.numexpr_peer import NumexprPeer
from bench.peers.protocol import Peer
from bench.peers.torch_peer import TorchPeer

KNOWN: tuple[Peer, ...] = (NumbaPeer(), NumexprPeer(), JaxPeer(), TorchPeer())


def present() -> tuple[list[str], list[str]]:
    """The names of the installed peers, and a line with the version of each known one."""
    versions = [(peer, peer.version()) for peer in KNOWN]
    lines = [f"{peer.name} {version or 'is not installed'}" for peer, version in versions]
    return [peer.name for peer, version in versions if version is not None], lines
