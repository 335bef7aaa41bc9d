"""What our proxy hosts hold beyond NPM's own fields: the same text in all of them.

It stands in the host's server block, in front of its location (NPM's templates/proxy_host.conf), so that the
location inherits it. By NPM's nginx.conf an answer's head may have a page (4 KB) and a request's 8 KB a line,
the container has 90 s, uploads end at 2000 MB and lie on NPM's disk first, and of what the container sends
plain, HTML alone is compressed. How large an upload may be the container says, by the site's own option: here
none is too large. Each line was tried inside that template on nginx 1.22 (docs/compatibility.md).

A container that cannot be reached, or gives no answer in time, is answered for by the operator's page: 503
with Retry-After, which search engines take for a pause. What the container itself answers passes, its 502 and
503 too (`proxy_intercept_errors` is off).
"""

from collections.abc import Iterator

from django.template.loader import render_to_string

READ_SECONDS = (
    310  # a little more than PHP's longest request (300 s), so that the container's answer comes first
)
CONNECT_SECONDS = 10  # in one's own network; a stopped container does not answer at all
RETRY_AFTER = 300  # seconds
PAGE = "sites/away.html"
PIECE = 2000  # characters of the page in one word: nginx takes 4095 bytes (ngx_conf_file.c, NGX_CONF_BUFFER)

_SITE = f"""\
# NodePoint: written anew when it differs
proxy_buffer_size 64k;
proxy_buffers 4 64k;
proxy_busy_buffers_size 128k;
large_client_header_buffers 4 40k;
proxy_connect_timeout {CONNECT_SECONDS}s;
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


def advanced_config() -> str:
    """The whole text. Read from the template each time; TemplateSyntaxError where somebody has broken it."""
    return f"{_SITE}\n{away_config(render_to_string(PAGE))}"


def away_config(page: str) -> str:
    """The lines that answer with `page` for a container that does not."""
    pieces = list(_pieces(page))
    names = [f"$nodepoint_away{number}" for number in range(len(pieces))]
    sets = [f'    set {name} "{piece}";' for name, piece in zip(names, pieces, strict=True)]
    lines = [
        "error_page 502 504 =503 @nodepoint_away;",
        "location @nodepoint_away {",
        '    default_type "text/html; charset=utf-8";',
        f"    add_header Retry-After {RETRY_AFTER} always;",
        '    add_header Cache-Control "no-store" always;',
        *sets,
        f'    return 503 "{"".join(names)}";',
        "}",
    ]
    return "\n".join(lines)


def _pieces(page: str) -> Iterator[str]:
    """The page in ASCII, as words between nginx's quotation marks: a dollar sign begins a variable there, and
    nothing else can stand for it than HTML."""
    text = page.strip().replace("$", "&#36;").encode("ascii", "xmlcharrefreplace").decode()
    for begin in range(0, len(text), PIECE):
        yield text[begin : begin + PIECE].replace("\\", "\\\\").replace('"', '\\"')
