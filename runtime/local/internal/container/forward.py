"""Forwards connections to 127.0.0.1:PORT in a container to the same port of the host, where the local endpoint listens.

The arguments are the ports. The program prints "ready" once it listens. It runs next to the action in the container.
"""
import select
import socket
import sys
import threading


def host():
    for name in ('host.docker.internal', 'host.containers.internal'):
        try:
            return socket.gethostbyname(name)
        except OSError:
            pass
    sys.exit('The container cannot resolve the address of its host.')


def copy(a, b):
    other = {a: b, b: a}
    try:
        while other:
            for s in select.select(list(other), [], [])[0]:
                data = s.recv(1 << 16)
                if data:
                    other[s].sendall(data) if s in other else None
                else:
                    other.pop(s).shutdown(socket.SHUT_WR)
    except OSError:
        pass
    finally:
        a.close()
        b.close()


def connect(client, address):
    try:
        server = socket.create_connection(address, 10)
    except OSError:
        client.close()
        return
    server.settimeout(None)
    for s in (client, server):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    copy(client, server)


def serve(listener, address):
    while True:
        client = listener.accept()[0]
        threading.Thread(target=connect, args=(client, address), daemon=True).start()


def main():
    target = host()
    for port in map(int, sys.argv[1:]):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', port))
        listener.listen(128)
        threading.Thread(target=serve, args=(listener, (target, port))).start()
    print('ready', flush=True)


main()
