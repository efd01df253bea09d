"""UDP on Linux: up to 64 datagrams with one system call, through ctypes.

What a system call costs is what a fast DNS server pays most for. `recvmmsg` fills 64 slots of one buffer, the
responses are put into another, and `sendmmsg` sends them: it finds the peers' addresses, and the address each
datagram came to, where `recvmmsg` left them.

The kernel writes back the length of each address and of the control data; both are what they were, as one socket
has one family and one kind of control message. So nothing has to be set between two calls but where each response
begins and how long it is.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import mmap
import os
import socket
from array import array
from collections.abc import Callable, Sequence
from ctypes import POINTER, Structure, byref, c_int, c_size_t, c_uint, c_void_p, sizeof
from itertools import accumulate
from typing import Literal

from dnsemu.server.bind import is_wildcard
from dnsemu.server.drain import want_packet_info

_log = logging.getLogger(__name__)

SLOTS = 64
ROUNDS = 16  # calls before other sockets have their turn
# Octets, more than a datagram has; of most slots only the first page is ever touched. Were it a power of two, all
# slots would begin in the same few lines of the processor's caches.
_SLOT = 65536 + 320
_OFFSETS = range(0, SLOTS * _SLOT, _SLOT)
_MSG_DONTWAIT = 0x40
_INTERFACE_AT = 16  # where an IPv4 control message has the interface's number


class _Vector(Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


class _Message(Structure):
    """struct mmsghdr: struct msghdr, then the datagram's length."""

    _fields_ = (
        ("name", c_void_p),
        ("name_length", c_uint),
        ("vectors", POINTER(_Vector)),
        ("vector_count", c_size_t),
        ("control", c_void_p),
        ("control_length", c_size_t),
        ("flags", c_int),
        ("_padding", c_int),  # struct msghdr ends on a multiple of eight octets
        ("length", c_uint),
    )


# PyDLL keeps the interpreter lock: neither call waits, and giving the lock away would cost more than the call.
_libc = ctypes.PyDLL(None, use_errno=True)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = (c_int, c_void_p, c_uint, c_int, c_void_p)
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = (c_int, c_void_p, c_uint, c_int)


class _Slots:
    """Buffers for 64 datagrams, and the messages that describe them to the kernel."""

    def __init__(
        self, names: ctypes.Array[ctypes.c_char], name_size: int, control: ctypes.Array[ctypes.c_char]
    ) -> None:
        control_size = len(control) // SLOTS
        self.buffer = mmap.mmap(-1, SLOTS * _SLOT)
        self._vectors = (_Vector * SLOTS)()
        self.messages = (_Message * SLOTS)()
        self.begin = begin = ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))
        for slot, (vector, message) in enumerate(zip(self._vectors, self.messages, strict=True)):
            vector.base, vector.length = begin + slot * _SLOT, _SLOT
            message.name, message.name_length = ctypes.addressof(names) + slot * name_size, name_size
            message.vectors, message.vector_count = ctypes.pointer(vector), 1
            if control_size:
                message.control = ctypes.addressof(control) + slot * control_size
                message.control_length = control_size
        self.lengths = _column(self.messages, _Message.length.offset, "I")
        self.bases = _column(self._vectors, _Vector.base.offset, "Q")
        self.vector_lengths = _column(self._vectors, _Vector.length.offset, "Q")


def _column(
    array: ctypes.Array[_Message] | ctypes.Array[_Vector], offset: int, code: Literal["I", "Q"]
) -> memoryview:
    """One field of all structures of an array, as a view."""
    view = memoryview(array).cast("B").cast(code)
    return view[offset // view.itemsize :: sizeof(array) // len(array) // view.itemsize]


class Batches:
    """Reads a socket in batches. A socket on all addresses answers from the address that was asked."""

    def __init__(
        self, sock: socket.socket, answer: Callable[[Sequence[bytes], Sequence[bytes]], list[bytes]]
    ) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._answer = answer
        self._ipv4 = sock.family == socket.AF_INET
        self._name_size = 16 if self._ipv4 else 28  # sockaddr_in, sockaddr_in6
        first, size = (4, 4) if self._ipv4 else (8, 16)  # where the address stands in it
        self._addresses = [slice(at, at + size) for at in range(first, SLOTS * self._name_size, self._name_size)]
        control_size = 0
        if is_wildcard(sock) and want_packet_info(sock):
            control_size = socket.CMSG_SPACE(12 if self._ipv4 else 20)  # in_pktinfo, in6_pktinfo
        self._names = ctypes.create_string_buffer(SLOTS * self._name_size)
        self._control = ctypes.create_string_buffer(SLOTS * control_size) if control_size else (ctypes.c_char * 0)()
        self._received = _Slots(self._names, self._name_size, self._control)
        self._sent = _Slots(self._names, self._name_size, self._control)
        self._interfaces = self._interface_column(control_size)
        self._any_interface = memoryview((c_uint * SLOTS)()).cast("B").cast("I")

    def __call__(self) -> None:
        """Answer what is waiting, up to some rounds' worth."""
        for _ in range(ROUNDS):
            count = _recvmmsg(self._fd, self._received.messages, SLOTS, _MSG_DONTWAIT, None)
            if count <= 0:
                if (failure := ctypes.get_errno()) not in (errno.EAGAIN, errno.EINTR):
                    _log.warning("receiving failed: %s", os.strerror(failure))
                return
            self._answer_all(count)
            if count < SLOTS // 2:
                return

    def _answer_all(self, count: int) -> None:
        """Answer the first `count` slots: the responses stand one behind the other in the buffer to send."""
        questions = self._received.buffer
        if self._interfaces is not None:
            self._interfaces[:count] = self._any_interface[:count]
        lengths = self._received.lengths[:count].tolist()
        peers = self._names.raw
        wires = self._answer(
            [questions[at : at + length] for at, length in zip(_OFFSETS, lengths, strict=False)],
            [peers[address] for address in self._addresses[:count]],
        )
        octets = b"".join(wires)
        sizes = array("Q", map(len, wires))
        self._sent.buffer[: len(octets)] = octets
        self._sent.bases[:count] = memoryview(array("Q", accumulate(sizes[:-1], initial=self._sent.begin)))
        self._sent.vector_lengths[:count] = memoryview(sizes)
        if all(wires):
            self._send(0, count)
        else:
            for slot, wire in enumerate(wires):  # the empty ones are silence
                if wire:
                    self._send(slot, slot + 1)

    def _send(self, first: int, end: int) -> None:
        """Send the replies in slots `first` to `end`; one that the kernel refuses does not hold up the others."""
        messages = self._sent.messages
        while first < end:
            sent = _sendmmsg(self._fd, byref(messages, first * sizeof(_Message)), end - first, _MSG_DONTWAIT)
            if sent < 0:
                failure = ctypes.get_errno()
                if failure == errno.EAGAIN:  # the way out is full: who misses an answer asks again
                    return
                _log.debug("replying failed: %s", os.strerror(failure))
                sent = 1
            first += sent

    def _interface_column(self, control_size: int) -> memoryview | None:
        """The interface numbers in IPv4 control data: zeroed before a reply, so that routing decides its way."""
        if not control_size or not self._ipv4:
            return None
        view = memoryview(self._control).cast("B").cast("I")
        return view[_INTERFACE_AT // 4 :: control_size // 4]
