"""What our proxy hosts hold beyond NPM's own fields: the same text in all of them.

It stands in the host's server block, in front of its location (NPM's templates/proxy_host.conf), so that the
location inherits it. By NPM's nginx.conf an answer's head may have a page (4 KB) and a request's 8 KB a line,
the container has 90 s, uploads end at 2000 MB and lie on NPM's disk first, and of what the container sends
plain, HTML alone is compressed. Each line was tried inside that template on nginx 1.22
(docs/compatibility.md).
"""

READ_SECONDS = (
    310  # a little more than PHP's longest request (300 s), so that the container's answer comes first
)

ADVANCED_CONFIG = f"""\
# NodePoint: written anew when it differs
proxy_buffer_size 64k;
proxy_buffers 4 64k;
proxy_busy_buffers_size 128k;
large_client_header_buffers 4 40k;
proxy_read_timeout {READ_SECONDS}s;
proxy_send_timeout {READ_SECONDS}s;
client_max_body_size 0;
proxy_request_buffering off;
gzip_proxied any;
gzip_vary on;
gzip_min_length 512;
gzip_types text/css text/plain text/xml text/javascript application/javascript application/json \
application/ld+json application/manifest+json application/xml application/rss+xml application/atom+xml \
image/svg+xml font/ttf font/otf application/vnd.ms-fontobject application/wasm;"""
