"""The address of the client at the other end of a connection."""


def peer_of(address: object) -> str:
    """Return a socket's peer address as ``host:port``, with brackets around IPv6; empty if it is not an IP address."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return ""
