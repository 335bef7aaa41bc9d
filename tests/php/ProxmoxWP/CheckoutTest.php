<?php

namespace Tests\ProxmoxWP;

use App\Events\ServiceUpgrade\Created;
use App\Exceptions\DisplayException;
use App\Helpers\ExtensionHelper;
use App\Models\Product;
use App\Models\Service;
use App\Models\ServiceUpgrade;
use Illuminate\Support\Facades\Event;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Domains;
use Tests\Support\OddServer;

/** What is asked and refused before a customer pays. */
class CheckoutTest extends Sites
{
    private function fields(array $values = [], array $settings = ['ask_name' => '1'], array $config = []): array
    {
        return array_column($this->extension($config)->getCheckoutConfig(new Product, $values, $settings), null, 'name');
    }

    /** The sentence with which a name is refused; null where it is not. */
    private function refusal(array $field, mixed $value): ?string
    {
        $refusal = null;
        $rule = end($field['validation']);
        $rule('checkoutConfig.site_name', $value, function (string $sentence) use (&$refusal) {
            $refusal = $sentence;
        });

        return $refusal;
    }

    public function test_nothing_is_asked_where_the_product_does_not_want_it(): void
    {
        foreach ([[], ['ask_name' => ''], ['ask_name' => '0'], ['ask_name' => false]] as $settings) {
            $this->assertSame([], $this->fields([], $settings));
        }
        $this->assertSame(['site_name', 'site_domain'], array_keys($this->fields()));
    }

    public function test_every_field_has_what_paymenter_needs_of_one(): void
    {
        foreach ($this->fields() as $field) {
            $this->assertSame('text', $field['type']);
            $this->assertSame('', $field['default']); // null would be a property without a value, which its table refuses
            $this->assertStringNotContainsString('proxmoxwp::', $field['label'].$field['description']);
        }
    }

    public function test_the_name_is_looked_at_while_it_is_typed(): void
    {
        $name = "shop{$this->service()->id}";
        $field = $this->fields(['site_name' => " $name "])['site_name'];
        $this->assertSame(["$name is free.", null], [$field['description'], $this->refusal($field, $name)]);
        foreach (['www' => 'www.nodepoint.eu is taken already.', 'a.b' => 'Use 1 to 40 of a-z'] as $bad => $sentence) {
            $field = $this->fields(['site_name' => $bad])['site_name'];
            $this->assertStringStartsWith($sentence, $field['description']);
            $this->assertStringStartsWith($sentence, $this->refusal($field, $bad));
        }
        $this->assertNull($this->refusal($field, ''));
        $this->assertNull($this->refusal($field, null));
        $this->assertNull($this->refusal($field, ['x']));
    }

    public function test_a_backend_that_is_away_or_older_keeps_nobody_from_buying(): void
    {
        foreach (['html', 'unknown', 'hollow', 'garbage'] as $way) {
            $field = $this->fields(['site_name' => "any$way"], ['ask_name' => true], ['api_base' => OddServer::way($way)])['site_name'];
            $this->assertStringContainsString('cannot be asked', $field['description'], $way);
            $this->assertNull($this->refusal($field, "any$way"), $way);
        }
    }

    public function test_a_domain_of_ones_own_says_what_dns_must_say(): void
    {
        $field = $this->fields(['site_domain' => 'www.example.com'])['site_domain'];
        $this->assertStringContainsString('A record of www.example.com to '.self::IP, $field['description']);
        $rule = substr($field['validation'][2], strlen('regex:'));
        foreach (['www.example.com' => 1, 'münchen.example' => 1, 'example.com.' => 1, 'x' => 0, 'http://a.example' => 0, 'a b.example' => 0,
            'a@b.example' => 0, 'a.example/' => 0] as $text => $fits) {
            $this->assertSame($fits, preg_match($rule, $text), $text);
        }
    }

    public function test_an_order_has_the_name_that_was_wished_and_the_domain_waits_in_its_form(): void
    {
        $service = $this->service();
        $service->properties()->updateOrCreate(['key' => 'site_name'], ['value' => "wish$service->id"]);
        $service->properties()->updateOrCreate(['key' => 'site_domain'], ['value' => ' www.example.com ']);
        $this->assertSame("wish$service->id", $this->call('createServer', $service)['subdomain']);
        $part = new Domains;
        $part->service = $service;
        $part->mount();
        $this->assertSame('www.example.com', $part->domain);
        $this->until($service, 'running');
    }

    private function upgrade(Service $service, string $plan, string $extension = 'ProxmoxWP'): ?string
    {
        $product = (object) ['settings' => ['plan' => $plan], 'server' => (object) ['id' => 1, 'extension' => $extension]];
        try {
            Event::dispatch(new Created(new ServiceUpgrade($service, $product)));
        } catch (DisplayException $e) {
            return $e->getMessage();
        }

        return null;
    }

    public function test_an_upgrade_that_would_be_refused_is_refused_before_it_is_paid(): void
    {
        $service = $this->live(['plan' => 'standard']);
        $this->assertNull($this->upgrade($service, 'premium'));
        $this->assertSame("The site's disk has 40 GB and cannot shrink to 20 GB.", $this->upgrade($service, 'basic'));
        $this->assertSame('This is not available at the moment. Please try again later.', $this->upgrade($service, 'Monthly'));
        $this->assertSame('standard', $this->status($service)['plan']['name']);
        $this->assertNull($this->upgrade($service, 'basic', 'Convoy'));
        foreach (['html', 'unknown'] as $way) { // tried again, once it is paid
            ExtensionHelper::$server = $this->extension(['api_base' => OddServer::way($way)]);
            $this->assertNull($this->upgrade($service, 'basic'));
        }
    }
}
