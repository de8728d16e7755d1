"""A receiver of Rookery's webhook, which verifies each call and prints it: hand it on to FCM, APNs or a bot instead.

ROOKERY_WEBHOOK_SECRET=… python examples/webhook_receiver.py PORT
"""

import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ["ROOKERY_WEBHOOK_SECRET"].encode()
MAX_AGE = 300  # seconds: an older call may be one that somebody recorded


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp = self.headers["Rookery-Timestamp"] or "0"
        wanted = "v1=" + hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        is_genuine = hmac.compare_digest(wanted, self.headers["Rookery-Signature"] or "")
        if not is_genuine or abs(time.time() - int(timestamp)) > MAX_AGE:
            self.send_error(401)
            return
        for event in json.loads(body)["events"]:  # may come again, with the same id
            print(event["type"], event["user"], event["seq"], event["title"], event["body"], flush=True)
        self.send_response(204)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
