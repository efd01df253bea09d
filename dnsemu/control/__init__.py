"""HTTP: the operator's API. Imported only after the DNS sockets are open."""
