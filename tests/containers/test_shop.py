"""A shop with the real WooCommerce: what it sells is nobody else's, carts are everyone's own, its tasks are
done."""

import requests

from sites import diagnosis, install
from tests.containers import base, plugins, sites
from tests.containers.base import WORDPRESS, ContainerTestCase
from tests.containers.plugins import Administrator

SHOP = 923
SOLD_FILE = "wp-content/uploads/woocommerce_uploads/2026/11/book-abc.zip"
PRODUCT = f"""
update_option('woocommerce_coming_soon', 'no');
$file = new WC_Product_Download();
$file->set_id('one'); $file->set_name('Book'); $file->set_file(home_url('/{SOLD_FILE}'));
$product = new WC_Product_Simple();
$product->set_name('Book'); $product->set_slug('book'); $product->set_regular_price('9');
$product->set_virtual(true); $product->set_manage_stock(true); $product->set_stock_quantity(2);
$product->set_downloadable(true); $product->set_downloads([$file]);
echo $product->save();
"""
ORDER = """
add_filter('pre_wp_mail', '__return_true');
$order = wc_create_order(); $order->add_product(wc_get_product({product}), 1);
$order->set_billing_email('buyer@example.com'); $order->calculate_totals();
$order->update_status('completed');
echo array_values(wc_get_order($order->get_id())->get_downloadable_items())[0]['download_url'];
"""
# The action's own code, for whoever runs it.
ACTION = "<?php add_action('np_action', fn() => update_option('np_done', 'yes', false));"
QUEUED = "as_schedule_single_action(time() - 60, 'np_action'); echo get_option('np_done', 'no');"
ITS_OWN_LOOK = """
$look = new ReflectionMethod('WC_Admin_Notices', 'is_uploads_directory_protected');
$look->setAccessible(true); echo $look->invoke(null) ? 'closed ' : 'open ';
$found = (new WC_REST_System_Status_V2_Controller())->get_environment_info();
foreach (['log_directory_writable', 'soapclient_enabled', 'gzip_enabled', 'external_object_cache'] as $name) {
    echo $found[$name] ? '' : $name;
}
"""


def setUpModule() -> None:
    base.required()


class ShopTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        plugins.given("woocommerce")
        cls.container = base.made(SHOP, sites.golden_template())
        cls.addClassCleanup(cls.container.destroy)
        plugins.put(cls.container, "woocommerce")
        admin = Administrator(cls.container)
        admin.activate("woocommerce/woocommerce.php")
        cls.container.write(f"{WORDPRESS}/{SOLD_FILE}", "PAID")
        admin.get("index.php")  # what it does when an administrator comes by for the first time
        cls.product = cls.container.php(PRODUCT)
        cls.container.visit("/product/book/")

    def asked(self, path: str, **more: object) -> tuple[str, requests.Response]:
        answer = self.container.visit(path, cached=True, **more)
        return answer.headers.get("X-Page-Cache", "none"), answer

    def test_pages_are_kept_and_carts_are_not(self):
        for path in ("/shop/", "/product/book/"):
            self.asked(path)
            self.assertEqual(self.asked(path)[0], "HIT", path)
        buyer = requests.Session()
        _, page = self.asked(f"/product/book/?add-to-cart={self.product}", session=buyer)
        self.assertIn("woocommerce_items_in_cart", buyer.cookies)
        for path, words in (("/cart/", "Book"), ("/wp-json/wc/store/v1/cart", '"items_count":1')):
            kept, page = self.asked(path, session=buyer)
            self.assertEqual(kept, "BYPASS", path)
            self.assertIn(words, page.text)
        for path, words in (("/wp-json/wc/store/v1/cart", '"items_count":0'), ("/my-account/", "")):
            for _ in range(2):
                kept, page = self.asked(path)
                self.assertEqual((kept, page.status_code), ("MISS", 200), path)
                self.assertIn(words, page.text)
        self.assertEqual(self.asked("/product/book/")[0], "HIT")
        self.container.php(f"wc_update_product_stock({self.product}, 1);")
        self.assertEqual(self.asked("/product/book/")[0], "MISS")

    def test_what_it_sells_is_the_buyer_s_alone(self):
        link = self.container.php(ORDER.format(product=self.product))
        path = link.removeprefix(f"https://{self.container.site.hostname}")
        self.assertEqual(self.container.visit(f"/{SOLD_FILE}").status_code, 404)
        for method in ("force", "xsendfile"):
            self.container.php(f"update_option('woocommerce_file_download_method', '{method}');")
            answer = self.container.visit(path)
            self.assertEqual((answer.status_code, answer.text), (200, "PAID"), method)
            self.assertIn("book-abc.zip", answer.headers["Content-Disposition"])
            part = self.container.visit(path, headers={"Range": "bytes=2-"})
            self.assertEqual((part.status_code, part.text), (206, "ID"), method)
        self.assertNotEqual(self.container.visit(path.replace("order=wc", "order=xx")).text, "PAID")

    def test_its_logs_are_nobody_s(self):
        self.container.php("wc_get_logger()->warning('secret words', ['source' => 'np']);")
        logs = self.container.shell(f"ls {WORDPRESS}/wp-content/uploads/wc-logs").split()
        self.assertGreater(len(logs), 1)
        for name in logs:
            self.assertIn(self.container.visit(f"/wp-content/uploads/wc-logs/{name}").status_code, (403, 404))

    def test_its_tasks_are_done_and_nothing_is_found_wrong(self):
        self.container.write(f"{WORDPRESS}/wp-content/mu-plugins/act.php", ACTION)
        self.assertEqual(self.container.php(QUEUED), "no")
        self.container.run_cron()
        self.assertEqual(self.container.php("echo get_option('np_done');"), "yes")
        self.assertEqual(self.container.php(ITS_OWN_LOOK), "closed ")
        look = self.container.run("bash", "-s", "health", stdin=install.health_script()).stdout
        facts = diagnosis.read(look)
        self.assertEqual((facts["answered"], facts["overdue"]), ("yes", 0))
        self.assertNotIn("critical", facts["test"].values())
