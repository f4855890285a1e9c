"""Who is at the other end."""


def peer_of(address: object) -> str:
    """An address as a socket has it, for a person."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return ""
