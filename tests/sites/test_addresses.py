"""The program that replaces addresses inside a site: what it takes for one, and what it leaves alone. Where
PHP is missing here, the tests in real containers are left (`tests/containers/test_content.py`)."""

import json
import shutil
import subprocess
import tempfile
import unittest
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import SimpleTestCase, TestCase

PHP = shutil.which("php") or ""
OLD, NEW = "www.customer.example", "site903.nodepoint.eu.test"
PROGRAM = files("sites.install")
# Reads a JSON list of texts, writes what becomes of them, how many addresses that were, and how many stayed.
HARNESS = """<?php
require $argv[1];
$addresses = new Addresses($argv[2], $argv[3]);
$made = array_map(fn($text) => $addresses->in($text), json_decode(stream_get_contents(STDIN), true));
echo json_encode([$made, $addresses->changes, $addresses->left]);
"""


def php(*arguments: str, given: str) -> str:
    """What a program of PHP prints."""
    command = [PHP, "-d", "auto_prepend_file=none", "-d", "memory_limit=256M", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def serialized(value: Any) -> str:
    """As PHP would write it."""
    match value:
        case str():
            return f's:{len(value.encode())}:"{value}";'
        case int():
            return f"i:{value};"
        case dict():
            members = "".join(serialized(key) + serialized(one) for key, one in value.items())
            return f"a:{len(value)}:{{{members}}}"
    raise TypeError(value)


@unittest.skipUnless(PHP, "needs PHP")
class AddressTests(SimpleTestCase):
    def made(self, *texts: str, old: str = OLD) -> tuple[list[str], int, int]:
        with tempfile.NamedTemporaryFile("w", suffix=".php") as harness:
            harness.write(HARNESS)
            harness.flush()
            program = str(PROGRAM.joinpath("addresses.php"))
            made, changes, left = json.loads(php(harness.name, program, old, NEW, given=json.dumps(texts)))
        return made, changes, left

    def test_addresses_are_replaced_however_their_slashes_are_written(self):
        forms = (
            "<a href='https://{}/a'>",
            "http://{}:8080",
            'src="//{}/x"',
            r"{{\"u\":\"https:\/\/{}\/b\"}}",
            r"https:\\\/\\\/{}",
            r"https:\u002f\u002f{}/",
            "?u=https%3A%2F%2F{}%2Fc",
            "https%253A%252F%252F{}",
            "https:&#x2F;&#47;{}",
            "See https://{}. And then",
            "{}",
        )
        texts = [form.replace("{}", OLD).replace("{{", "{").replace("}}", "}") for form in forms]
        made, changes, left = self.made(*texts, f"HTTPS://{OLD.upper()}/")
        self.assertEqual(made[:-1], [text.replace(OLD, NEW) for text in texts])
        self.assertEqual((made[-1], changes, left), (f"HTTPS://{NEW}/", len(texts) + 1, 0))

    def test_other_names_and_mere_words_stay(self):
        texts = (
            f"https://{OLD}.evil.test/ https://{OLD}-x/ https://{OLD}x/ https://x.{OLD}/ https://x{OLD}/",
            f"info@{OLD}, or just {OLD} in a sentence",
            "https://customer.example/",
        )
        self.assertEqual(self.made(*texts), ([*texts], 0, 0))

    def test_a_name_with_umlauts_is_found_as_people_read_it(self):
        made, changes, _ = self.made(
            "https://müller.example/ https://xn--mller-kva.example/", old="xn--mller-kva.example"
        )
        self.assertEqual((made, changes), ([f"https://{NEW}/ https://{NEW}/"], 2))

    def test_serialized_data_stays_whole(self):
        def value(name: str) -> Any:
            inner = serialized({"title": "😀 ö", "text": f"<img src='https://{name}/é.png'>", 7: 1})
            return {2: {"content": f"//{name}/"}, "nested": serialized({"again": inner}), "_multiwidget": 1}

        big = {number: f"https://{{}}/wp-content/uploads/{number}.png 😀" for number in range(50_000)}
        for before, after in (
            (serialized(value(OLD)), serialized(value(NEW))),
            (f" {serialized(value(OLD))}\n", f" {serialized(value(NEW))}\n"),
            (
                serialized({key: text.format(OLD) for key, text in big.items()}),
                serialized({key: text.format(NEW) for key, text in big.items()}),
            ),
            (
                f'O:9:"Evil\\Shop":2:{{s:3:"url";{serialized(f"https://{OLD}/")}s:4:"self";r:1;}}',
                f'O:9:"Evil\\Shop":2:{{s:3:"url";{serialized(f"https://{NEW}/")}s:4:"self";r:1;}}',
            ),
        ):
            made, changes, left = self.made(before)
            self.assertEqual(made, [after])
            self.assertEqual((changes > 0, left), (True, 0))

    def test_keys_and_what_only_a_class_can_read_stay(self):
        inside = f"x:i:0;{serialized(f'https://{OLD}/')}"
        texts = [
            serialized({f"https://{OLD}/": 1}),
            f'C:11:"ArrayObject":{len(inside)}:{{{inside}}}',
        ]
        self.assertEqual(self.made(*texts), (texts, 0, 0))

    def test_what_looks_serialized_and_is_broken_is_left_alone_and_counted(self):
        whole = serialized({"url": f"https://{OLD}/"})
        texts = [
            whole.replace(f"s:{len(OLD) + 9}:", f"s:{len(OLD) + 8}:"),
            whole[:-1],
            whole + whole,
            whole.replace("a:1:", "a:2:"),
            f'{{"x":"a:1:{{s:1:\\"u\\";s:29:\\"https://{OLD}/\\";}}"}}',
            f"log: {whole}",
            "a:1:{i:0;" * 100_000 + serialized(f"https://{OLD}/") + "}" * 100_000,
        ]
        self.assertEqual(self.made(*texts), (texts, 0, len(texts)))

    def test_a_broken_text_within_a_whole_one_costs_only_itself(self):
        broken = f'a:1:{{s:1:"u";s:5:"https://{OLD}/";}}'
        (made,), changes, left = self.made(serialized({"a": broken, "b": f"https://{OLD}/"}))
        self.assertEqual(made, serialized({"a": broken, "b": f"https://{NEW}/"}))
        self.assertEqual((changes, left), (1, 1))


def _has_mariadb() -> bool:
    return connection.vendor == "mysql" and "mysqli" in php("-m", given="").split()


@unittest.skipUnless(PHP and _has_mariadb(), "needs PHP and MariaDB")
class TableTests(TestCase):
    """In a database of its own on the server of the tests."""

    DATABASE = "nodepoint_test_wordpress"

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config("<?php\n// $table_prefix = \"old_\";\n$table_prefix = 'wp_';\n")
        self.server = connection.get_new_connection(
            {**connection.get_connection_params(), "autocommit": True}
        )
        self.addCleanup(self.server.close)
        self.sql(f"DROP DATABASE IF EXISTS {self.DATABASE}", f"CREATE DATABASE {self.DATABASE}")
        self.addCleanup(self.sql, f"DROP DATABASE {self.DATABASE}")
        self.sql(
            f"USE {self.DATABASE}",
            "CREATE TABLE wp_options (option_id bigint unsigned PRIMARY KEY AUTO_INCREMENT,"
            " option_name varchar(191) UNIQUE, option_value longtext)",
        )

    def config(self, text: str) -> None:
        self.folder.joinpath("wp-config.php").write_text(text)

    def sql(self, *statements: str, values: tuple = ()) -> list[tuple]:
        """Past Django, whose transaction this is no part of."""
        with self.server.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("{OLD}", OLD).replace("{NEW}", NEW), values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def option(self, name: str, value: str) -> None:
        statement = "INSERT INTO wp_options (option_name, option_value) VALUES (%s, %s)"
        self.sql(statement, values=(name, value))

    def run_it(self, *, dry: bool = False, old: str = OLD) -> tuple[int, ...]:
        """Tables, changes, left."""
        server = connection.settings_dict
        given = {
            "user": server["USER"],
            "password": server["PASSWORD"],
            "socket": server["OPTIONS"].get("unix_socket", server["HOST"]),
            "database": self.DATABASE,
            "config": str(self.folder / "wp-config.php"),
            "from": old,
            "to": NEW,
            "dry": dry,
        }
        said = php(str(PROGRAM.joinpath("replace.php")), given=json.dumps(given))
        word, *numbers = said.splitlines()[-1].split()
        self.assertEqual(word, "found")
        return tuple(map(int, numbers))

    def test_a_count_changes_nothing_and_tells_what_a_replacement_does(self):
        widgets = serialized({2: {"content": f"<a href='https://{OLD}/ü😀'>"}})
        broken = f'a:1:{{s:1:"u";s:5:"https://{OLD}/";}}'
        self.option("siteurl", f"https://{OLD}")
        self.option("widget_block", widgets)
        self.option("broken", broken)
        self.option("big", "x" * (5 << 20) + f" https://{OLD}/ " + "\\'\"" * 1000)
        before = self.sql("SELECT option_name, MD5(option_value) FROM wp_options")
        self.assertEqual(self.run_it(dry=True), (1, 3, 1))
        self.assertEqual(self.sql("SELECT option_name, MD5(option_value) FROM wp_options"), before)
        self.assertEqual(self.run_it(), (1, 3, 1))
        values = dict(self.sql("SELECT option_name, option_value FROM wp_options"))
        self.assertEqual(
            values["widget_block"], serialized({2: {"content": f"<a href='https://{NEW}/ü😀'>"}})
        )
        self.assertEqual((values["siteurl"], values["broken"]), (f"https://{NEW}", broken))
        self.assertIn(f" https://{NEW}/ \\'\"", values["big"])
        self.assertEqual(self.run_it(), (0, 0, 1))

    def test_tables_with_every_kind_of_key(self):
        self.sql(
            "CREATE TABLE wp_two (a bigint, b varchar(40), c varbinary(8), t text, PRIMARY KEY (a, b, c))",
            "CREATE TABLE wp_unique (a int NOT NULL, t text, UNIQUE (a))",
            "CREATE TABLE wp_none (a int, t text, v varchar(100)) ENGINE=MyISAM",
            "CREATE TABLE wp_url (url varchar(100), t varchar(100), PRIMARY KEY (url))",
            "CREATE TABLE other_plugin (id int PRIMARY KEY, t text)",
            "INSERT INTO wp_two SELECT seq, CONCAT('é', seq), UNHEX('00ff27'), 'http://{OLD}/'"
            " FROM seq_1_to_2500",
            "INSERT INTO wp_unique VALUES (1, '//{OLD}'), (2, '')",
            "INSERT INTO wp_none VALUES (1, 'https://{OLD}', 's:1:\"https://{OLD}')",
            "INSERT INTO wp_none VALUES (1, 'https://{OLD}', NULL)",
            "INSERT INTO wp_url VALUES ('https://{OLD}/', 'https://{OLD}/')",
            "INSERT INTO other_plugin VALUES (1, 'https://{OLD}/')",
            "CREATE VIEW wp_view AS SELECT * FROM other_plugin",
        )
        expected = (4, 2500 + 1 + 2 + 1, 1)
        self.assertEqual(self.run_it(dry=True), expected)
        self.assertEqual(self.run_it(), expected)
        self.assertEqual(self.run_it()[:2], (0, 0))
        self.assertEqual(
            self.sql("SELECT COUNT(*) FROM wp_two WHERE t = %s", values=(f"http://{NEW}/",)), [(2500,)]
        )
        self.assertEqual(self.sql("SELECT t FROM wp_none"), [(f"https://{NEW}",)] * 2)
        self.assertEqual(self.sql("SELECT url, t FROM wp_url"), [(f"https://{OLD}/", f"https://{NEW}/")])
        self.assertEqual(self.sql("SELECT t FROM other_plugin"), [(f"https://{OLD}/",)])

    def test_what_does_not_fit_any_more_stays_and_is_counted(self):
        self.sql(
            "CREATE TABLE wp_short (id int PRIMARY KEY, u varchar(30), v varchar(60) UNIQUE)",
            "INSERT INTO wp_short VALUES (1, 'https://{OLD}/x', 'https://{OLD}/'), (2, '', 'https://{NEW}/')",
        )
        self.assertEqual(self.run_it(), (0, 0, 2))

    def test_guids_and_passwords_stay(self):
        self.sql(
            "CREATE TABLE wp_posts (ID int PRIMARY KEY, guid varchar(255), post_content text)",
            "CREATE TABLE wp_users (ID int PRIMARY KEY, user_pass varchar(255), user_url varchar(100))",
            "INSERT INTO wp_posts VALUES (1, 'https://{OLD}/?p=1', 'https://{OLD}/')",
            "INSERT INTO wp_users VALUES (1, 'https://{OLD}/', 'https://{OLD}/')",
        )
        self.assertEqual(self.run_it(), (2, 2, 0))
        self.assertEqual(self.sql("SELECT guid FROM wp_posts"), [(f"https://{OLD}/?p=1",)])

    def test_the_prefix_is_that_of_the_tables_where_wp_config_does_not_tell(self):
        self.option("home", f"https://{OLD}")
        self.config("<?php\n$table_prefix = getenv('PREFIX');\n")
        self.assertEqual(self.run_it(), (1, 1, 0))
        self.sql("CREATE TABLE shop_options (id int PRIMARY KEY, option_value text)")
        with self.assertRaisesRegex(AssertionError, "nobody can tell"):
            self.run_it()

    def test_another_name_that_holds_the_old_one_is_not_found_again(self):
        self.option("home", "https://customer.example/")
        for _ in range(2):
            self.assertEqual(self.run_it(old=f"{NEW}.au"), (0, 0, 0))
        self.assertEqual(self.run_it(old="customer.example"), (1, 1, 0))
