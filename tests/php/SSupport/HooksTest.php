<?php

namespace Tests\SSupport;

use App\Models\Server;
use App\Models\Service;
use App\Models\Setting;
use Paymenter\Extensions\Servers\SSupport\Api\ApiException;
use Paymenter\Extensions\Servers\SSupport\SSupport;
use PHPUnit\Framework\TestCase;
use Tests\Support\Demo;
use Tests\Support\Log;
use Tests\Support\OddServer;
use Tests\Support\Patience;

class HooksTest extends TestCase
{
    private SSupport $extension;

    private Service $service;

    private static Patience $patience;

    public static function setUpBeforeClass(): void
    {
        self::$patience = new Patience(SSupport::class);
        self::$patience->begin('away', ['createServer']);
        self::$patience->begin('hang', ['createServer']);
    }

    protected function setUp(): void
    {
        $this->extension = self::extensionAt(Demo::url());
        $this->service = new Service(random_int(1_000_000, 2_000_000_000), settings: []);
    }

    public static function extensionAt(string $url, ?string $key = null): SSupport
    {
        return new SSupport(['api_base' => $url, 'api_key' => $key ?? Demo::token()]);
    }

    private function hook(string $name): mixed
    {
        return $this->extension->$name($this->service, [], $this->service->propertiesByKey());
    }

    private function status(): string
    {
        return $this->extension->supportKey($this->service, [], [])['status'];
    }

    public function test_an_order_stores_the_key_as_a_property_and_gives_it_to_the_mail(): void
    {
        $mail = $this->hook('createServer');
        $this->assertMatchesRegularExpression('/^SUP-[A-Z0-9]{16}$/', $mail['support_key']);
        $this->assertSame('ACTIVE', $mail['status']);
        $this->assertSame($mail['support_key'], $this->service->properties()->rows['support_key']['value']);
        $this->assertSame('jane.doe@example.com', $this->extension->supportKey($this->service, [], [])['email']);
    }

    public function test_a_repeated_order_gives_the_same_key(): void
    {
        $this->assertSame($this->hook('createServer'), $this->hook('createServer'));
    }

    public function test_suspension_and_the_way_back_may_be_repeated(): void
    {
        $this->hook('createServer');
        foreach (['suspendServer' => 'SUSPENDED', 'unsuspendServer' => 'ACTIVE', 'terminateServer' => 'INACTIVE'] as $hook => $status) {
            $this->assertSame(['status' => $status], $this->hook($hook));
            $this->assertSame(['status' => $status], $this->hook($hook));
            $this->assertSame($status, $this->status());
        }
    }

    public function test_an_order_after_a_cancellation_revives_the_key(): void
    {
        $key = $this->hook('createServer')['support_key'];
        $this->hook('terminateServer');
        $this->assertSame(['support_key' => $key, 'status' => 'ACTIVE'], $this->hook('createServer'));
    }

    public function test_a_late_retry_does_not_revive_the_key_of_a_suspended_service(): void
    {
        $this->hook('createServer');
        $this->hook('suspendServer');
        $this->service->status = Service::STATUS_SUSPENDED;
        $this->assertSame('SUSPENDED', $this->hook('createServer')['status']);
        $this->assertSame('SUSPENDED', $this->status());
    }

    public function test_cancelling_what_never_got_a_key_is_no_failure(): void
    {
        Log::clear();
        $this->assertSame([], $this->hook('terminateServer'));
        $this->assertSame(['service' => $this->service->id], Log::$lines[0][1]);
    }

    public function test_cancelling_a_key_that_the_backend_does_not_know_is_one(): void
    {
        $this->service->properties()->updateOrCreate(['key' => 'support_key'], ['name' => '', 'value' => 'SUP-GONE']);
        $this->expectExceptionMessage('There is no support key for this service.');
        $this->hook('terminateServer');
    }

    public function test_suspending_what_never_got_a_key_is_a_failure(): void
    {
        $this->expectException(ApiException::class);
        $this->hook('suspendServer');
    }

    public function test_another_plan_keeps_the_key_and_needs_one(): void
    {
        $this->hook('createServer');
        $this->hook('upgradeServer');
        $this->assertSame('ACTIVE', $this->status());
        $this->service = new Service($this->service->id + 1);
        $this->expectException(ApiException::class);
        $this->hook('upgradeServer');
    }

    /** @dataProvider names */
    public function test_names_of_every_kind_are_taken(?string $first, ?string $last): void
    {
        $this->service->user->first_name = $first;
        $this->service->user->last_name = $last;
        $this->assertSame('ACTIVE', $this->hook('createServer')['status']);
    }

    public static function names(): array
    {
        return [
            'none' => [null, null],
            'empty' => ['', ' '],
            'one only' => ['Cher', null],
            'quotes and markup' => ["Robert'); DROP TABLE", '<script>alert("x")</script>'],
            'other alphabets' => ['Ωmega', '山田 太郎'],
            'long' => [str_repeat('x', 255), str_repeat('é', 255)],
        ];
    }

    public function test_a_name_that_is_too_long_is_refused_with_a_sentence(): void
    {
        $this->service->user->last_name = str_repeat('x', 256);
        $this->expectExceptionMessageMatches('/255/');
        $this->hook('createServer');
    }

    /** @dataProvider answers */
    public function test_nothing_is_swallowed(string $way, string $sentence): void
    {
        $this->extension = self::extensionAt(OddServer::way($way));
        foreach (['createServer', 'suspendServer', 'unsuspendServer', 'terminateServer', 'upgradeServer'] as $hook) {
            try {
                $this->hook($hook);
                $this->fail("$hook took this for a success");
            } catch (ApiException $e) {
                $this->assertStringContainsString($sentence, $e->getMessage(), $hook);
            }
        }
        $this->assertSame(['nodepoint_order_failed', 'nodepoint_suspend_failed', 'nodepoint_unsuspend_failed', 'nodepoint_terminate_failed',
            'nodepoint_upgrade_failed'], array_keys($this->service->properties()->rows));
    }

    public static function answers(): array
    {
        return [
            'an HTML page' => ['page', 'could not be understood'],
            'half a JSON object' => ['garbage', 'could not be understood'],
            'a success without its fields' => ['hollow', 'could not be understood'],
            'a refusal with status 200' => ['refusal', 'Not today.'],
                        'a redirect' => ['redirect', 'redirect'],
        ];
    }

    public function test_a_proxy_without_a_backend_is_asked_again_and_neither_it_nor_one_that_hangs_holds_a_hook_longer(): void
    {
        ['createServer away' => $away, 'createServer hang' => $hang] = self::$patience->ends();
        $this->assertSame([503, 'The backend could not be reached.'], [$away['status'], $away['message']]);
        $this->assertGreaterThan(5, $away['seconds']);
        $this->assertSame('timeout', $hang['code']);
        $this->assertLessThan(30, max($away['seconds'], $hang['seconds']));
    }

    public function test_the_connection_test_says_what_is_wrong(): void
    {
        $this->assertTrue($this->extension->testConfig());
        $this->assertStringContainsString('API key', self::extensionAt(Demo::url(), 'wrong')->testConfig());
    }

    public function test_the_key_is_masked_and_encrypted_also_right_after_the_creation(): void
    {
        $fields = array_column($this->extension->getConfig(), null, 'name');
        $this->assertSame(['password', true], [$fields['api_key']['type'], $fields['api_key']['encrypted']]);
        $row = new Server(new Setting('api_base', 'http://x'), new Setting('api_key', 'secret'));
        $this->extension->enabled($row);
        $this->assertSame(['http://x', false], [$row->rows[0]->value, $row->rows[0]->encrypted]);
        $this->assertSame(['encrypted:'.base64_encode('secret'), true], [$row->rows[1]->value, $row->rows[1]->encrypted]);
    }

    public function test_the_product_form_needs_nothing(): void
    {
        $this->assertSame([], $this->extension->getProductConfig());
    }
}
