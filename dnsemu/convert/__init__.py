"""From other people's formats to native zone files: `import_route53`."""

from dnsemu.convert.notes import Kind, Note, UnusableInput, printable
from dnsemu.convert.route53 import Imported, import_route53

__all__ = ["Imported", "Kind", "Note", "UnusableInput", "import_route53", "printable"]
