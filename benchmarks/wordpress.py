"""How fast a site's pages are in a real container, with the page cache and without it, in one run.

    sudo .venv/bin/python benchmarks/wordpress.py [--posts 1000] [--requests 10000] [--plugins FOLDER]

A site of the smallest plan (2 GB) as the install script makes it, in the containers of tests/containers
(script/containers says what they need). First as it is, then with that many posts in ten categories, and,
where FOLDER has the plugin `woocommerce`, with a shop of 100 products besides. Each page is asked for by 50
at once over connections that stay open: so many times with the page cache, and a fiftieth of that past it,
with and without Redis. Printed are requests per second, median and p95 in milliseconds, and what was no 200.
Exit code 1: an error, or a cached page is not 20 times as fast. The machine's processors make the pages and
ask for them.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = 50
LEAST = 20  # times as many requests per second from the cache
PAST = "X-NodePoint-Look: 1"  # a head that asks for a page of its own
PHP = "setpriv --reuid www-data --regid www-data --clear-groups php"
MAKE_POSTS = """<?php
require '/var/www/wordpress/wp-load.php';
wp_defer_term_counting(true);
$categories = array_map(fn($n) => wp_insert_term("Topic $n", 'category')['term_id'], range(1, 10));
$paragraph = '<p>' . str_repeat('Lorem ipsum dolor sit amet. ', 20) . '</p>';
$text = str_repeat("<!-- wp:paragraph -->$paragraph<!-- /wp:paragraph -->", 8);
for ($n = 0; $n < (int) $argv[1]; $n++) {
    wp_insert_post([
        'post_title' => "Post $n", 'post_name' => "post-$n", 'post_content' => $text,
        'post_status' => 'publish', 'post_category' => [$categories[$n % 10]],
        'post_date' => date('Y-m-d H:i:s', time() - 3600 * $n - 60),
    ]);
}
wp_defer_term_counting(false);
"""

# As an administrator's first visits leave it.
MAKE_SHOP = """<?php
require '/var/www/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
if (($argv[1] ?? '') === 'activate') {
    exit(is_null(activate_plugin('woocommerce/woocommerce.php')) ? 0 : 1);
}
WC_Install::create_pages();
update_option('woocommerce_coming_soon', 'no');
for ($n = 0; $n < 100; $n++) {
    $product = new WC_Product_Simple();
    $product->set_name("Product $n");
    $product->set_slug("product-$n");
    $product->set_regular_price((string) ($n + 1));
    $product->save();
}
flush_rewrite_rules();
"""


async def load(host: str, name: str, path: str, requests: int, heads: list[str]) -> dict[str, float]:
    """Asks CLIENTS at once; seconds of all, median and p95 in milliseconds, and the number of errors."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {name}", "X-Forwarded-Proto: https", *heads, "", "")
    request, left, took, errors = "\r\n".join(lines).encode(), iter(range(requests)), [], []

    async def client() -> None:
        connection = None
        for _ in left:
            began = time.monotonic()
            try:
                connection = connection or await asyncio.open_connection(host, 80, limit=1 << 24)
                status = await asyncio.wait_for(ask(*connection, request), 120)
            except (OSError, EOFError, TimeoutError) as error:
                connection, status = None, repr(error)
            took.append(time.monotonic() - began)
            if status != "200":
                errors.append(status)

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    seconds = time.monotonic() - began
    took.sort()
    return {
        "rate": requests / seconds,
        "median": took[len(took) // 2] * 1000,
        "p95": took[len(took) * 95 // 100] * 1000,
        "errors": len(errors),
    }


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> str:
    """The status of an answer that was read to its end."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "content-length: " in head:
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
    else:
        await reader.readuntil(b"\r\n0\r\n\r\n")
    return head.split()[1]


def main(posts: int, requests: int, shop: bool) -> int:
    """Makes the site, measures it, prints a table; the exit code."""
    from django.test import override_settings

    from tests.containers import base, plugins

    failed = 0
    with override_settings(**base.SETTINGS):
        print("making the site …", file=sys.stderr)
        site = base.made(930, base.plain_template())
        print("| page | | requests/s | median ms | p95 ms | errors |\n| --- | --- | --- | --- | --- | --- |")
        failed += measured(site, "a new site, front page", "/", requests)
        make(site, MAKE_POSTS, str(posts))
        for page, path in (("front page", "/"), ("a post", "/post-7/"), ("a category", "/category/topic-3/")):
            failed += measured(site, f"{posts} posts, {page}", path, requests)
        if shop:
            plugins.put(site, "woocommerce")
            make(site, MAKE_SHOP, "activate")
            make(site, MAKE_SHOP, "fill")
            for page, path in (("front page", "/"), ("shop", "/shop/"), ("a product", "/product/product-7/")):
                failed += measured(site, f"{posts} posts and WooCommerce, {page}", path, requests)
    return min(failed, 1)


def make(site: object, code: str, argument: str) -> None:
    """Has the site's own PHP make something; SystemExit where it does not."""
    done = site.run("bash", "-c", f"{PHP} -- {argument}", stdin=code, timeout=900)
    if done.exit_code:
        raise SystemExit(f"could not be made: {done}")


def measured(site: object, page: str, path: str, requests: int) -> int:
    """Prints the three rows of a page; how many of its bounds were missed."""
    few = max(requests // 50, CLIENTS)
    site.shell("systemctl stop redis-server")
    bare = row(site, page, "neither cache", path, few, [PAST])
    site.shell("systemctl start redis-server")
    row(site, page, "warming", path, CLIENTS, [PAST], shown=False)
    objects = row(site, page, "objects in Redis", path, few, [PAST])
    row(site, page, "warming", path, CLIENTS, [], shown=False)
    cached = row(site, page, "page cache", path, requests, [])
    factor = cached["rate"] / objects["rate"]
    print(f"| | from the cache, times as many | {factor:.0f} | | | |", flush=True)
    return sum(run["errors"] > 0 for run in (bare, objects, cached)) + (factor < LEAST)


def row(
    site: object, page: str, way: str, path: str, requests: int, heads: list[str], shown: bool = True
) -> dict[str, float]:
    """One run in a process of its own on the node's network; printed as a row."""
    from tests.containers import base

    asked = json.dumps([f"10.77.0.{site.vmid - 800}", site.site.hostname, path, requests, heads])
    said = base.node().run(sys.executable, __file__, "--load", asked)
    run = json.loads(said.stdout)
    if shown:
        numbers = f"{run['rate']:.0f} | {run['median']:.0f} | {run['p95']:.0f} | {run['errors']:.0f}"
        print(f"| {page} | {way} | {numbers} |", flush=True)
    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--plugins", type=Path, help="a folder with the plugin woocommerce, unpacked")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        print(json.dumps(asyncio.run(load(*json.loads(arguments.load)))))
        sys.exit(0)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nodepoint.settings")
    import django

    django.setup()
    if arguments.plugins:
        os.environ["NODEPOINT_PLUGINS"] = str(arguments.plugins.resolve())
    sys.exit(main(arguments.posts, arguments.requests, bool(arguments.plugins)))
