<?php

namespace Tests\DNS;

use App\Models\Extension;
use Illuminate\Support\Facades\View;
use Illuminate\Support\ViewErrorBag;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Others\DNS\Livewire\Page;
use Paymenter\Extensions\Others\DNS\Livewire\ZonePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonesPage;
use Paymenter\Extensions\Others\DNS\Zone;
use ReflectionProperty;
use Symfony\Component\HttpKernel\Exception\HttpException;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\Log;
use Tests\Support\OddServer;

class PagesTest extends Customers
{
    private function list(): ZonesPage
    {
        $page = new ZonesPage;
        $page->boot();

        return $page;
    }

    private function page(string $zone): ZonePage
    {
        $page = new class extends ZonePage
        {
            public function reset(...$properties)
            {
                foreach ($properties as $name) {
                    $this->$name = (new \ReflectionClass(ZonePage::class))->getDefaultProperties()[$name];
                }
            }
        };
        $page->boot();
        $page->mount($zone);

        return $page;
    }

    /** What a browser gets, as Livewire renders it: with the component's public properties. */
    private function html(Page $page): string
    {
        View::share('errors', (new ViewErrorBag)->put('default', $page->getErrorBag()));

        return $page->render()->with(array_filter(get_object_vars($page), fn ($name) => $name !== 'zones', ARRAY_FILTER_USE_KEY))->render();
    }

    public function test_the_first_render_asks_nothing_of_the_backend(): void
    {
        self::install(OddServer::way('hang'));
        $begun = microtime(true);
        $list = $this->html($this->list());
        $zone = $this->html($this->page('5'));
        $this->assertLessThan(1, microtime(true) - $begun);
        foreach ([$list, $zone] as $html) {
            $this->assertStringContainsString('wire:init="load"', $html);
            $this->assertStringContainsString('Asking for your zones', $html);
            $this->assertStringNotContainsString('wire:poll', $html);
        }
        $this->assertSame(['title' => 'DNS', 'sidebar' => true], Laravel::$layout);
    }

    public function test_the_list_says_what_to_delegate_and_shows_zones_with_their_status(): void
    {
        $domain = self::domain();
        $id = self::zone($domain);
        $page = $this->list();
        $page->load();
        $html = $this->html($page);
        $this->assertStringContainsString('<li>ns1.nodepoint.eu</li>', $html);
        $this->assertStringContainsString("http://paymenter.test/dns/$id", $html);
        $this->assertStringContainsString($domain, $html);
        $this->assertStringContainsString('Active', $html);
        $this->assertStringContainsString("wire:click=\"delete('$id')\"", $html);
        $this->assertStringNotContainsString('wire:poll', $html);
    }

    public function test_a_domain_is_added_and_the_field_emptied(): void
    {
        $page = $this->list();
        $page->domain = self::domain();
        $added = $page->domain;
        $page->add();
        $this->assertSame('', $page->domain);
        $this->assertSame('success', $page->toasts[0][1]);
        Demo::until(function () use ($page) {
            $page->load();

            return $page->jobs === [];
        }, 'the zone is made');
        $this->assertStringContainsString($added, $this->html($page));
    }

    public function test_a_refusal_stands_beside_the_field_with_what_was_typed(): void
    {
        $page = $this->list();
        $page->load();
        $page->domain = '"><script>alert(1)</script>.example';
        $page->add();
        $this->assertSame([], $page->toasts);
        $this->assertNotSame('', $page->getErrorBag()->first('domain'));
        $this->assertStringNotContainsString('<script>', $this->html($page));
        $this->assertSame('"><script>alert(1)</script>.example', $page->domain);
    }

    public function test_records_are_shown_with_the_alias_and_escaped(): void
    {
        $zone = self::zone();
        $hostile = '"><img src=x onerror=alert(1)> {{ 7*7 }} ünï 山';
        self::settle(self::zones(), self::zones()->addRecord($zone, ['type' => 'TXT', 'name' => 'x', 'ttl' => '300',
            'content' => $hostile, 'priority' => '']));
        $page = $this->page($zone);
        $page->load();
        $html = $this->html($page);
        $this->assertStringContainsString(e($hostile), $html);
        $this->assertStringNotContainsString('<img', $html);
        $this->assertStringContainsString('PROXYSRV', $html);
        $this->assertStringNotContainsString(self::PROXY, $html);
        $this->assertStringContainsString('Set by us', $html);
    }

    public function test_on_a_narrow_screen_each_cell_says_what_it_is(): void
    {
        $page = $this->page(self::zone());
        $page->load();
        $html = $this->html($page);
        foreach (['Name', 'Type', 'Content', 'Kept for (TTL, seconds)', 'Actions'] as $label) {
            $this->assertStringContainsString("data-label=\"$label\"", $html);
        }
        $this->assertStringContainsString('aria-label="Delete the A record of www"', $html);
    }

    public function test_the_name_servers_stand_once(): void
    {
        self::zone();
        $page = $this->list();
        $page->load();
        $this->assertSame(1, substr_count($this->html($page), 'ns1.nodepoint.eu'));
    }

    /** @dataProvider troublesOfZones */
    public function test_what_is_wrong_with_a_zone_is_shown_where_the_backend_knows(array $more, ?string $sentence): void
    {
        $zone = Zone::from($more + ['id' => '5', 'name' => 'example.com', 'status' => 'active', 'nameservers' => [], 'records' => []]);
        $html = trim((string) view('dns::trouble', ['of' => $zone]));
        $sentence === null ? $this->assertSame('', $html) : $this->assertStringContainsString($sentence, $html);
    }

    public static function troublesOfZones(): array
    {
        return [
            'an older backend' => [[], null],
            'nothing' => [['published' => true, 'problem' => null], null],
            'not known' => [['published' => null, 'problem' => null], null],
            'a sentence' => [['published' => false, 'problem' => '<b>It was moved.'], '&lt;b&gt;It was moved.'],
            'not published' => [['published' => false, 'problem' => null], 'do not answer with the latest changes yet'],
            'not published, but no wonder' => [['published' => false, 'status' => 'creating'], null],
        ];
    }

    public function test_a_record_is_added_changed_and_deleted(): void
    {
        $page = $this->page(self::zone());
        $page->load();
        [$page->type, $page->name, $page->content] = ['A', 'shop', 'PROXYSRV'];
        $page->save();
        $this->assertSame(['A', '', ''], [$page->type, $page->name, $page->content]);
        $record = $this->find($page, 'shop');
        $this->assertSame(self::PROXY, $record->data);

        $page->edit($record->id);
        $this->assertSame([$record->id, 'A', 'shop', 'PROXYSRV', '3600'],
            [$page->editing, $page->type, $page->name, $page->content, $page->ttl]);
        $page->content = '198.51.100.7';
        $page->save();
        $this->assertSame('', $page->editing);
        $this->assertSame('198.51.100.7', $this->find($page, 'shop')->data);

        $page->deleteRecord($record->id);
        $this->assertNull($this->find($page, 'shop'));
        $this->assertSame(['success'], array_unique(array_column($page->toasts, 1)));
    }

    private function find(ZonePage $page, string $name): mixed
    {
        Demo::until(function () use ($page) {
            $page->load();

            return $page->jobs === [];
        }, 'the change is made');
        $zone = self::zones()->find($page->zone);
        foreach ($zone->records as $record) {
            if ($record->within($zone->name) === $name) {
                return $record;
            }
        }

        return null;
    }

    public function test_a_wrong_content_is_told_beside_its_field(): void
    {
        $page = $this->page(self::zone());
        $page->load();
        [$page->type, $page->name, $page->content, $page->ttl] = ['A', 'x', 'nowhere', '3600'];
        $page->save();
        $this->assertStringContainsString('IPv4', $page->getErrorBag()->first('content'));
        $this->assertStringContainsString('IPv4', $this->html($page));
        $this->assertSame('nowhere', $page->content);
        [$page->content, $page->ttl] = ['198.51.100.7', '1'];
        $page->save();
        $this->assertNotSame('', $page->getErrorBag()->first('ttl'));
    }

    public function test_the_platforms_records_offer_no_buttons_and_cannot_be_edited(): void
    {
        $zone = self::zones()->find(self::zone());
        $page = $this->page($zone->id);
        $page->load();
        $html = $this->html($page);
        foreach ($zone->records as $record) {
            $contains = str_contains($html, "edit('{$record->id}')");
            $this->assertSame(! $record->isProtected($zone->name), $contains, $record->type.' '.$record->name);
            if ($record->isProtected($zone->name)) {
                $page->edit($record->id);
                $this->assertSame('', $page->editing);
            }
        }
    }

    public function test_a_zone_is_deleted_and_the_list_shown(): void
    {
        $page = $this->page(self::zone());
        $page->load();
        $page->deleteZone();
        $this->assertSame('http://paymenter.test/dns', $page->redirected);
        $this->assertSame('success', $page->toasts[0][1]);
    }

    public function test_another_customers_zone_is_not_found(): void
    {
        $zone = self::zone();
        $record = self::zones()->find($zone)->records[0]->id;
        Laravel::$user->id = self::customer();
        $page = $this->page($zone);
        $page->load();
        $html = $this->html($page);
        $this->assertStringContainsString('There is no such zone.', $html);
        $this->assertStringNotContainsString('wire:submit', $html);
        [$page->name, $page->content] = ['mine', '198.51.100.7'];
        $page->save();
        $page->edit($record);
        $page->deleteRecord($record);
        $page->deleteZone();
        $list = $this->list();
        $list->delete($zone);
        $toasts = array_merge($page->toasts, $list->toasts);
        $this->assertSame(['error'], array_unique(array_column($toasts, 1)));
        $this->assertCount(5, $toasts);
        $this->assertNull($page->redirected);
    }

    public function test_what_the_browser_must_not_choose_is_locked(): void
    {
        foreach (['zone', 'editing', 'loaded', 'jobs'] as $name) {
            $this->assertCount(1, (new ReflectionProperty(ZonePage::class, $name))->getAttributes(Locked::class), $name);
        }
    }

    /** @dataProvider troubles */
    public function test_when_the_backend_is_away_the_page_says_so_and_the_log_why(string $url, string $token): void
    {
        self::install($url, $token);
        foreach ([$this->list(), $this->page('5')] as $page) {
            Log::clear();
            $page->load();
            $html = $this->html($page);
            $this->assertStringContainsString('cannot be reached at the moment', $html);
            $this->assertStringContainsString('Try again', $html);
            $this->assertStringNotContainsString('token', $html);
            $this->assertCount(1, Log::$reported);
        }
    }

    public static function troubles(): array
    {
        return [
            'nobody listens' => ['http://127.0.0.1:9', 'x'],
            'not our API' => [OddServer::way('page'), 'x'],
            'a proxy error' => [OddServer::way('html'), 'x'],
            'half an answer' => [OddServer::way('garbage'), 'x'],
            'nothing in it' => [OddServer::way('hollow'), 'x'],
            'a wrong token' => [Demo::url(), 'wrong'],
            'no settings' => ['', ''],
        ];
    }

    public function test_a_write_while_the_backend_is_away_is_a_toast_and_keeps_the_form(): void
    {
        self::install('http://127.0.0.1:9');
        $page = $this->list();
        $page->domain = 'example.com';
        $page->add();
        $this->assertSame('error', $page->toasts[0][1]);
        $this->assertSame('example.com', $page->domain);
    }

    public function test_while_work_goes_on_the_page_looks_again_and_tells_how_it_ended(): void
    {
        $zone = self::zone();
        Demo::lab('/_lab/faults', ['system' => 'ispconfig', 'kind' => 'slow', 'seconds' => 6, 'match' => 'dns_txt_add']);
        try {
            $page = $this->page($zone);
            $page->load();
            [$page->type, $page->name, $page->content] = ['TXT', 'slow', 'x'];
            $page->save();
            $this->assertCount(1, $page->jobs);
            $this->assertStringContainsString('wire:poll.4s="load"', $this->html($page));
            $this->assertNotNull($this->find($page, 'slow'));
        } finally {
            Demo::lab('/_lab/faults', [], 'DELETE');
        }
        $this->assertSame(['The change is still being made.', 'The change has been made.'], array_column($page->toasts, 0));
        $this->assertStringNotContainsString('wire:poll', $this->html($page));
    }

    public function test_a_job_that_failed_is_told(): void
    {
        $page = $this->list();
        $page->jobs = [str_repeat('0', 32)];
        $page->load();
        $this->assertSame([[], 'error'], [$page->jobs, $page->toasts[0][1]]);
    }

    public function test_disabled_or_uninstalled_it_is_not_found(): void
    {
        Extension::$table = [];
        foreach ([$this->list(), $this->page('5')] as $page) {
            try {
                $page->render();
                $this->fail('it was shown');
            } catch (HttpException $e) {
                $this->assertSame(404, $e->getStatusCode());
            }
        }
    }

    public function test_without_a_login_nothing_is_answered(): void
    {
        Laravel::$user = null;
        $this->expectException(HttpException::class);
        $this->list();
    }
}
