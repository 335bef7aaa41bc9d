"""What the extensions use of Paymenter, compared with a checkout of it: what is missing there breaks them.

    PAYMENTER_CHECKOUT=/path/to/Paymenter .venv/bin/python manage.py test tests.extensions.test_paymenter

For each new release of Paymenter. Without a checkout the comparison is left out.
"""

import os
import re
import unittest
from pathlib import Path
from unittest import TestCase

from tests.extensions import php

CHECKOUT = os.environ.get("PAYMENTER_CHECKOUT", "")
# What we call, are called with, or rely on; blanks do not count.
USES = {
    "app/Attributes/ExtensionMeta.php": [
        "string $name",
        "string $description",
        "string $version",
        "string $author",
    ],
    "app/Classes/Extension/Extension.php": [
        "function __construct(public $config = [])",
        "function config($key)",
    ],
    "app/Console/Commands/CronJob.php": [
        "SuspendJob::dispatch($service)",
        "TerminateJob::dispatch($service)",
    ],
    "app/Events/Service/Updated.php": ["public Service $service"],
    "app/Events/ServiceUpgrade/Created.php": ["public ServiceUpgrade $serviceUpgrade"],
    "app/Events/User/Updated.php": ["public User $user"],
    "app/Exceptions/DisplayException.php": ["class DisplayException extends Exception"],
    "app/Helpers/ExtensionHelper.php": [
        "function callService(Service $service, $function, $args = [], $mayFail = false)",
        "function createServer(Service $service)",
        "function suspendServer(Service $service)",
        "function unsuspendServer(Service $service)",
        "function terminateServer(Service $service)",
        "function upgradeServer(Service $service)",
        "function settingsToArray($settings)",
        "'getCheckoutConfig', [$product, $values, self::settingsToArray($product->settings)]",
        "'getProductConfig', [$values]",
        "->testConfig()",
    ],
    "app/Helpers/NotificationHelper.php": [
        "function sendSystemEmailNotification(string $subject, string $body,",
        "function serverCreatedNotification(User $user, Service $service, array $data = [])",
        "function serverSuspendedNotification(User $user, Service $service, array $data = [])",
        "function serverTerminatedNotification(User $user, Service $service, array $data = [])",
    ],
    "app/Http/Middleware/MustVerfiyEmail.php": ["class MustVerfiyEmail"],
    "app/Livewire/Cart.php": ["foreach ($item->checkout_config as $key => $value)"],
    "app/Livewire/Component.php": ["class Component"],
    "app/Livewire/Traits/HasNotifications.php": [
        "function notify($message, $type = 'success', $redirect = false)"
    ],
    "app/Livewire/Products/Checkout.php": [
        "ExtensionHelper::getCheckoutConfig($this->product, $this->checkoutConfig)"
    ],
    "app/Livewire/Services/Show.php": [
        "$this->service->status == Service::STATUS_ACTIVE",
        "ExtensionHelper::getActions($this->service)",
        "ExtensionHelper::getView($this->service, $currentViewObj)",
    ],
    # An upgrade that a listener refuses is taken back whole, and its sentence is shown.
    "app/Livewire/Services/Upgrade.php": [
        "DB::beginTransaction()",
        "$upgrade->save()",
        "DB::rollBack(); if ($e instanceof DisplayException)",
    ],
    "app/Models/FailedJob.php": ["'payload'", "'uuid'"],
    "app/Models/Notification.php": ["'user_id'", "'title'", "'body'", "'url'"],
    "app/Models/Property.php": ["function model()", "public $guarded = []"],
    "app/Models/Service.php": [
        "STATUS_ACTIVE = 'active'",
        "STATUS_CANCELLED = 'cancelled'",
        "STATUS_SUSPENDED = 'suspended'",
        "function user()",
        "function product()",
    ],
    "app/Models/ServiceUpgrade.php": ["function service()", "function product()"],
    "app/Models/Setting.php": ["encrypted"],
    "app/Models/Traits/HasProperties.php": ["function properties()", "morphMany(Property::class, 'model')"],
    "app/Models/User.php": ["function hasPermission($permission)", "function services()"],
    "app/Observers/ServiceObserver.php": ["event(new ServiceEvent\\Updated($service))"],
    "app/Observers/ServiceUpgradeObserver.php": ["event(new ServiceUpgradeEvent\\Created($serviceUpgrade))"],
    "app/Observers/UserObserver.php": ["event(new UserEvent\\Updated($user))"],
    "app/Providers/AppServiceProvider.php": ["ExtensionHelper::call($extension, 'boot', mayFail: true)"],
    "app/Jobs/Server/CreateJob.php": ["public Service $service", "$tries = 1"],
    "app/Jobs/Server/SuspendJob.php": ["public Service $service", "$tries = 1"],
    "app/Jobs/Server/UnsuspendJob.php": ["public Service $service", "$tries = 1"],
    "app/Jobs/Server/TerminateJob.php": ["public Service $service", "$tries = 1"],
    "app/Jobs/Server/UpgradeJob.php": ["public Service $service", "$tries = 1"],
    "config/permissions.php": ["'failed_jobs' => [ 'viewAny'"],
    "themes/default/views/components/form/configoption.blade.php": [
        "wire:model.live",
        "$config->description",
    ],
    "themes/default/views/services/show.blade.php": ["{!! $extensionView !!}", "$button['target']"],
}
NAMED = re.compile(r"^use (App\\[\w\\]+)", re.MULTILINE)


def squeezed(text: str) -> str:
    """With single blanks, none beside brackets and commas, and without annotations of types we leave out."""
    return re.sub(r"\s*([(),\[\]{};])\s*", r"\1", re.sub(r"\s+", " ", text))


class ListTests(TestCase):
    def test_every_class_of_paymenter_that_is_named_is_in_the_list(self) -> None:
        named = set()
        for extension in php.EXTENSIONS:
            for path in php.sources(extension, made=True):
                named |= set(NAMED.findall(path.read_text()))
        wanted = {name.replace("App\\", "app/", 1).replace("\\", "/") + ".php" for name in named}
        known = {
            *USES,
            "app/Classes/Extension/Server.php",
            "app/Models/Product.php",
            "app/Models/Extension.php",
        }
        self.assertGreater(len(wanted), 12)
        self.assertEqual(wanted - known, set())


@unittest.skipUnless(CHECKOUT, "PAYMENTER_CHECKOUT names no checkout of Paymenter")
class CheckoutTests(TestCase):
    def test_all_that_we_use_is_there(self) -> None:
        for file, parts in USES.items():
            path = Path(CHECKOUT) / file
            text = squeezed(path.read_text()) if path.exists() else ""
            for part in parts:
                with self.subTest(file=file, part=part):
                    self.assertIn(squeezed(part), text)

    def test_the_themes_components_are_there(self) -> None:
        views = Path(CHECKOUT) / "themes" / "default" / "views" / "components"
        used = set()
        for extension in php.EXTENSIONS:
            for path in php.views(extension):
                used |= set(re.findall(r"<x-([\w.-]+)", path.read_text())) - {"slot"}
        for name in used:
            if not name.startswith("ri-"):  # icons come with a package
                with self.subTest(component=name):
                    self.assertTrue((views / f"{name.replace('.', '/')}.blade.php").exists())
