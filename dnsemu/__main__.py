"""`python -m dnsemu` is `dnsemu`."""

from dnsemu.cli import main

main()
