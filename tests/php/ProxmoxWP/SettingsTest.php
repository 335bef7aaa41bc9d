<?php

namespace Tests\ProxmoxWP;

use App\Attributes\ExtensionMeta;
use App\Models\Server;
use App\Models\Setting;
use Livewire\Attributes\Locked;
use Livewire\Livewire;
use Paymenter\Extensions\Servers\ProxmoxWP\ProxmoxWP;
use ReflectionClass;
use Tests\Support\Log;
use Tests\Support\OddServer;

class SettingsTest extends Sites
{
    public function test_paymenter_can_read_the_metadata_and_upload_finds_the_class(): void
    {
        $class = new ReflectionClass(ProxmoxWP::class);
        $meta = $class->getAttributes(ExtensionMeta::class)[0]->newInstance();
        $this->assertSame('ProxmoxWP', $meta->name);
        $this->assertMatchesRegularExpression('/^\d+\.\d+\.\d+$/', $meta->version);
        // Paymenter's upload looks into the PHP files at the root of the zip, and wants a line that begins with `class`.
        $this->assertMatchesRegularExpression('/^class ProxmoxWP extends/m', file_get_contents($class->getFileName()));
        $others = array_diff(glob(dirname($class->getFileName()).'/*.php'), [$class->getFileName()]);
        foreach ($others as $other) {
            $this->assertDoesNotMatchRegularExpression('/^\s*class\s/m', file_get_contents($other));
        }
    }

    public function test_settings_have_types_that_the_admin_form_knows_and_the_key_is_a_secret(): void
    {
        $fields = array_column($this->extension()->getConfig(), null, 'name');
        $this->assertSame(['api_base', 'api_key', 'public_ip'], array_keys($fields));
        $this->assertSame([], array_diff(array_column($fields, 'type'), ['text', 'password']));
        $this->assertSame(['password', true], [$fields['api_key']['type'], $fields['api_key']['encrypted']]);
    }

    public function test_a_new_servers_key_is_encrypted(): void
    {
        $key = new Setting('api_key', 'secret');
        $this->extension()->enabled(new Server(new Setting('api_base', 'http://host'), $key));
        $this->assertTrue($key->encrypted);
    }

    public function test_test_connection(): void
    {
        $this->assertTrue($this->extension()->testConfig());
        $this->assertStringContainsString('API key', $this->extension(['api_key' => 'wrong'])->testConfig());
        $this->assertStringContainsString('address', $this->extension(['api_base' => 'http://127.0.0.1:9'])->testConfig());
    }

    public function test_the_plan_is_chosen_from_the_backends_plans(): void
    {
        [$field] = $this->extension()->getProductConfig();
        $this->assertSame(['plan', 'select', true], [$field['name'], $field['type'], $field['required']]);
        $this->assertSame('basic (2048 MB, 20 GB, 2 cores, 2 backups, 3 domains)', $field['options']['basic']);
        $this->assertSame(['basic', 'standard', 'premium'], array_keys($field['options']));
    }

    public function test_a_plan_that_is_gone_stays_selectable(): void
    {
        [$field] = $this->extension()->getProductConfig(['plan' => 'gold']);
        $this->assertArrayHasKey('gold', $field['options']);
    }

    public function test_the_plans_are_remembered_while_the_backend_is_away(): void
    {
        $this->extension()->getProductConfig();
        $cache = app('cache');
        $this->travel(61);
        // The same address, but nobody answers there with this key.
        [$field] = $this->extension(['api_key' => 'wrong'])->getProductConfig();
        $this->assertArrayHasKey('basic', $field['options']);
        $this->assertCount(1, Log::$reported);
        $this->assertNotNull($cache);
    }

    private function travel(int $seconds): void
    {
        foreach ([\Tests\Support\Demo::url(), OddServer::way('hang')] as $base) {
            $key = 'proxmoxwp.plans.'.sha1($base);
            if ($known = app('cache')->get($key)) {
                app('cache')->forever($key, ['asked_at' => $known['asked_at'] - $seconds] + $known);
            }
        }
    }

    public function test_without_the_backend_a_plan_can_be_entered_and_the_form_waits_once_only(): void
    {
        $extension = $this->extension(['api_base' => OddServer::way('hang')]);
        $began = microtime(true);
        for ($renders = 0; $renders < 3; $renders++) {
            [$field] = $extension->getProductConfig(['plan' => 'basic']);
            $this->assertSame(['plan', 'text'], [$field['name'], $field['type']]);
        }
        $this->assertLessThan(4, microtime(true) - $began);
    }

    public function test_nonsense_for_plans_breaks_no_form(): void
    {
        foreach (['wrong' => 'select', 'hollow' => 'text', 'page' => 'text'] as $way => $type) {
            [$field] = $this->extension(['api_base' => OddServer::way($way)])->getProductConfig();
            $this->assertSame($type, $field['type']);
        }
    }

    public function test_boot_registers_the_parts_and_never_throws(): void
    {
        $this->assertSame(['proxmoxwp.overview', 'proxmoxwp.domains', 'proxmoxwp.backups', 'proxmoxwp.tools', 'proxmoxwp.archives', 'proxmoxwp.export', 'proxmoxwp.log-in'],
            array_keys(Livewire::$components));
        foreach (Livewire::$components as $class) {
            $this->assertTrue(class_exists($class));
        }
        $views = app('view');
        app()->instance('view', new \stdClass);
        \Illuminate\Support\Facades\View::clearResolvedInstance('view');
        try {
            $this->extension()->boot();
            $this->assertCount(1, Log::$reported);
        } finally {
            app()->instance('view', $views);
            \Illuminate\Support\Facades\View::clearResolvedInstance('view');
        }
    }

    public function test_what_the_browser_must_not_choose_is_locked(): void
    {
        $typed = ['domain', 'uploadMb', 'memoryMb', 'from', 'to'];
        foreach (Livewire::$components as $class) {
            foreach ((new ReflectionClass($class))->getProperties(\ReflectionProperty::IS_PUBLIC) as $property) {
                if (str_starts_with($property->getDeclaringClass()->getName(), 'Paymenter') && ! in_array($property->getName(), $typed, true)) {
                    $this->assertCount(1, $property->getAttributes(Locked::class), "$class::{$property->getName()}");
                }
            }
        }
    }
}
