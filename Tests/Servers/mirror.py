"""A mirror that behaves badly: `mirror.py FAULT`, or `mirror.py file FOLDER` for a good one.

It listens on a free port of this machine, prints the port, and answers every request with the same
fault. It ends when its standard input ends, so that no test leaves one behind, and at the latest
after two minutes.
"""

import os
import socket
import sys
import threading
import time

CHUNK = bytes(1 << 16)


def head(status="200 OK", *fields):
    lines = ["HTTP/1.1 " + status, "Connection: close", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def for_ever(connection, data, pause=0.0):
    while True:
        connection.sendall(data)
        if pause:
            time.sleep(pause)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def endless(connection, path):
    connection.sendall(head())
    for_ever(connection, CHUNK)


def endless_chunks(connection, path):
    connection.sendall(head("200 OK", "Transfer-Encoding: chunked"))
    for_ever(connection, chunk(CHUNK))


def endless_trailers(connection, path):
    connection.sendall(head("200 OK", "Transfer-Encoding: chunked") + b"0\r\n")
    for_ever(connection, b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_error(connection, path):
    connection.sendall(head("404 Not Found"))
    for_ever(connection, CHUNK)


def endless_redirect_body(connection, path):
    connection.sendall(head("302 Found", "Location: /elsewhere"))
    for_ever(connection, CHUNK)


def endless_headers(connection, path):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for_ever(connection, b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_header(connection, path):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
    for_ever(connection, b"x" * 1000)


def endless_continue(connection, path):
    for_ever(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_text(connection, path):
    for_ever(connection, b"no HTTP at all\n")


def redirect_loop(connection, path):
    connection.sendall(head("302 Found", "Location: " + path, "Content-Length: 0"))


def redirect_to_file(connection, path):
    connection.sendall(head("302 Found", "Location: file:///etc/passwd", "Content-Length: 0"))


def promises_too_much(connection, path):
    connection.sendall(head("200 OK", "Content-Length: 99999999999"))
    for_ever(connection, CHUNK)


def crawl(connection, path):
    connection.sendall(head("200 OK", "Content-Length: 9912422"))
    for_ever(connection, b"\x1f", 0.05)


def crawl_headers(connection, path):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for_ever(connection, b"X-More: x\r\n", 0.05)


def mute(connection, path):
    time.sleep(120)


def stall(connection, path):
    connection.sendall(head("200 OK", "Content-Length: 9912422") + CHUNK)
    time.sleep(120)


def short(connection, path):
    connection.sendall(head("200 OK", "Content-Length: 9912422") + b"\x1f\x8b" + CHUNK)


def hang_up(connection, path):
    pass


def empty(connection, path):
    connection.sendall(head("200 OK", "Content-Length: 0"))


def page(connection, path):
    connection.sendall(head("200 OK", "Content-Type: text/html") + b"<!DOCTYPE html><title>404")


def missing(connection, path):
    connection.sendall(head("404 Not Found", "Content-Length: 3") + b"no\n")


def no_content(connection, path):
    connection.sendall(head("204 No Content"))


def file(connection, path):
    place = os.path.join(sys.argv[2], os.path.basename(path))
    if not os.path.exists(place):
        return missing(connection, path)
    with open(place, "rb") as source:
        data = source.read()
    connection.sendall(head("200 OK", "Content-Length: %d" % len(data)) + data)


def serve(connection, answer):
    try:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(1 << 16)
            if not received:
                return
            request += received
        answer(connection, request.split()[1].decode())
    except OSError:
        pass
    finally:
        connection.close()


def watch():
    sys.stdin.read()
    os._exit(0)


def main():
    answer = globals()[sys.argv[1].replace("-", "_")]
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(120)
    threading.Thread(target=watch, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    while True:
        try:
            connection = listener.accept()[0]
        except TimeoutError:
            return
        threading.Thread(target=serve, args=(connection, answer), daemon=True).start()


main()
