<?php

namespace Tests\DNS;

use App\Http\Middleware\MustVerfiyEmail;
use App\Models\Extension;
use Filament\Notifications\Notification;
use Illuminate\Container\Container;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Facade;
use Livewire\Livewire;
use Paymenter\Extensions\Others\DNS\DNS;
use Paymenter\Extensions\Others\DNS\Livewire\FilePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonesPage;
use Paymenter\Extensions\Others\DNS\Record;
use Paymenter\Extensions\Others\DNS\Settings;
use stdClass;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\Log;

class ExtensionTest extends Customers
{
    protected function tearDown(): void
    {
        putenv('DNS_BACKEND_URL');
        parent::tearDown();
    }

    private function fields(): array
    {
        return array_column((new DNS)->getConfig(), null, 'name');
    }

    public function test_boot_registers_pages_that_ask_for_a_verified_customer(): void
    {
        foreach (['dns.zones' => ['dns', ZonesPage::class], 'dns.zone' => ['dns/{zone}', ZonePage::class],
            'dns.file' => ['dns/{zone}/file', FilePage::class]] as $name => [$uri, $class]) {
            $route = Laravel::$router->getRoutes()->getByName($name);
            $this->assertSame($uri, $route->uri());
            $this->assertSame(['web', 'auth', MustVerfiyEmail::class], $route->middleware());
            $this->assertSame($class, Livewire::$components[$name]);
        }
        $this->assertSame('http://paymenter.test/dns/12', route('dns.zone', '12'));
        $this->assertSame([], Log::$reported);
    }

    public function test_boot_leaves_no_middleware_on_later_routes(): void
    {
        $this->assertSame([], Laravel::$router->get('/login', ['uses' => fn () => ''])->middleware());
    }

    public function test_boot_never_throws(): void
    {
        Container::getInstance()->instance('router', new stdClass); // any call of it is an Error, not an Exception
        Facade::clearResolvedInstances();
        (new DNS)->boot();
        $this->assertCount(1, Log::$reported);
    }

    public function test_the_side_bar_has_an_entry_for_those_who_are_logged_in(): void
    {
        $entries = Event::dispatch('navigation.dashboard');
        $this->assertSame([['name' => 'DNS', 'route' => 'dns.zones', 'icon' => 'ri-global', 'priority' => 25, 'condition' => true]], $entries);
        Laravel::$user = null;
        $this->assertFalse(Event::dispatch('navigation.dashboard')[0]['condition']);
    }

    public function test_without_its_route_there_is_no_entry(): void
    {
        Laravel::start();
        $this->assertNull(DNS::navigation());
    }

    public function test_the_token_is_masked_and_encrypted(): void
    {
        $this->assertSame(['password', true], [$this->fields()['api_key']['type'], $this->fields()['api_key']['encrypted']]);
        $this->assertSame(['base_url', 'api_key', 'proxy_address', 'nameservers'], array_keys($this->fields()));
    }

    /** @dataProvider addresses */
    public function test_the_address_in_the_environment_is_the_default_without_its_path(string $given, string $default): void
    {
        putenv("DNS_BACKEND_URL=$given");
        Laravel::start();
        $this->assertSame($default, $this->fields()['base_url']['default']);
        $this->assertSame($default, (new DNS(['api_key' => 'x']))->settings()->base);
        $this->assertSame('http://own', (new DNS(['base_url' => 'http://own/customdomain/']))->settings()->base);
    }

    public static function addresses(): array
    {
        return [
            ['http://10.0.0.5:8080/customdomain', 'http://10.0.0.5:8080'],
            ['http://10.0.0.5:8080/customdomain/', 'http://10.0.0.5:8080'],
            ['http://10.0.0.5:8080/', 'http://10.0.0.5:8080'],
            ['https://x.example/customdomains', 'https://x.example/customdomains'],
        ];
    }

    public function test_a_cached_configuration_keeps_the_default(): void
    {
        putenv('DNS_BACKEND_URL=http://10.0.0.5:8080/customdomain');
        Laravel::start();
        (new DNS)->boot();
        Laravel::$configIsCached = true; // what `artisan config:cache` has written holds what boot() had added
        $this->assertSame('http://10.0.0.5:8080', $this->fields()['base_url']['default']);
    }

    public function test_only_the_enabled_extension_has_settings(): void
    {
        $this->assertSame(Demo::url(), DNS::current()->base);
        self::install(Demo::url(), enabled: false);
        $this->assertNull(DNS::current());
        Extension::$table = [];
        $this->assertNull(DNS::current());
    }

    public function test_saving_the_settings_tells_whether_they_work(): void
    {
        Notification::$sent = [];
        (new DNS)->updated(Extension::$table[0]);
        self::install(Demo::url(), 'wrong');
        (new DNS)->updated(Extension::$table[0]);
        [$good, $bad] = Notification::$sent;
        $this->assertSame(['The backend can be reached.', 'success'], $good);
        $this->assertSame('danger', $bad[1]);
        $this->assertStringContainsString('API key', $bad[0]);
    }

    public function test_the_alias_is_shown_for_the_proxys_address_only(): void
    {
        $settings = new Settings('http://x', 'y', self::PROXY, " ns1.x.example,\nns2.x.example ; ");
        $a = fn (string $type, string $data) => $settings->shown(Record::from(['type' => $type, 'data' => $data]));
        $this->assertSame('PROXYSRV', $a('A', self::PROXY));
        $this->assertSame('203.0.113.11', $a('A', '203.0.113.11'));
        $this->assertSame(self::PROXY, $a('TXT', self::PROXY));
        $this->assertSame(['ns1.x.example', 'ns2.x.example'], $settings->nameservers);
        $this->assertSame('', (new Settings(null, null, null, null))->shown(Record::from(['type' => 'A'])));
    }
}
