"""An nginx of its own: static files, in the clear and with TLS, with Postern's own certificate."""

import os
import shutil
import signal
import subprocess
import time

CONFIG = """daemon off;
worker_processes auto;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  types {{ text/html html; application/pdf pdf; }}
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:3580;
    listen 127.0.0.1:3543 ssl;
    ssl_certificate {certs}/server.pem;
    ssl_certificate_key {certs}/server.key;
    ssl_protocols TLSv1.3;
    root files;
  }}
}}
"""


class Nginx:
    name = "nginx"
    clear = "http://127.0.0.1:3580"
    tls = "https://127.0.0.1:3543"

    def __init__(self, folder, gateway):
        self.folder = folder
        self.gateway = gateway

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "files").mkdir(parents=True)
        # Its workers run as another user.
        for folder in (self.folder, self.folder / "files"):
            os.chmod(folder, 0o755)
        (self.folder / "nginx.conf").write_text(CONFIG.format(certs=(self.gateway.folder / "certs").resolve()))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.server = subprocess.Popen([nginx, "-p", self.folder, "-c", "nginx.conf", "-e", "error.log", "-g", "user root;"])
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(20)

    def serve(self, name, octets):
        """Puts a file there; its path."""
        (self.folder / "files" / name).write_bytes(octets)
        return f"/{name}"
