"""dnsemu: the Route 53 that runs on a laptop."""

__version__ = "0.1.0"
