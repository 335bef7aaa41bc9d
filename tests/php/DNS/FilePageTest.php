<?php

namespace Tests\DNS;

use Illuminate\Support\Facades\View;
use Illuminate\Support\ViewErrorBag;
use Paymenter\Extensions\Others\DNS\Line;
use Paymenter\Extensions\Others\DNS\Livewire\FilePage;
use Paymenter\Extensions\Others\DNS\Past;
use Tests\Support\Demo;
use Tests\Support\Laravel;
use Tests\Support\OddServer;

/** Zone files in and out, and what was changed. */
class FilePageTest extends Customers
{
    private function page(string $zone): FilePage
    {
        $page = new FilePage;
        $page->boot();
        $page->mount($zone);

        return $page;
    }

    private function html(FilePage $page): string
    {
        View::share('errors', (new ViewErrorBag)->put('default', $page->getErrorBag()));

        return $page->render()->with(array_filter(get_object_vars($page), fn ($name) => $name !== 'zones', ARRAY_FILTER_USE_KEY))->render();
    }

    private function followed(FilePage $page): void
    {
        Demo::until(function () use ($page) {
            $page->load();

            return $page->jobs === [];
        }, 'the job is done');
    }

    private function names(string $zone): array
    {
        return array_map(fn ($record) => "{$record->type} {$record->name}", self::zones()->find($zone)->records);
    }

    public function test_the_first_render_asks_nothing_of_the_backend(): void
    {
        self::install(OddServer::way('hang'));
        $begun = microtime(true);
        $this->assertStringContainsString('Asking for your zones', $this->html($this->page('5')));
        $this->assertLessThan(1, microtime(true) - $begun);
    }

    public function test_a_file_is_checked_taken_in_shown_and_undone(): void
    {
        $domain = self::domain();
        $zone = self::zone($domain);
        $before = $this->names($zone);
        $page = $this->page($zone);
        $page->take(); // nothing was checked
        $page->zonefile = "moved 300 IN A 198.51.100.9\n@ IN TXT \"<b>hi</b>\"\nbad IN A 999.1.1.1\n";
        $page->load();
        $page->check();
        $this->assertSame(['add', 'add', 'refuse'], array_column($page->plan, 'act'));
        $this->assertSame($before, $this->names($zone));
        $html = $this->html($page);
        foreach (['2 records would be changed, 1 cannot be taken.', 'line 3', 'wire:click="take(true)"', '&lt;b&gt;hi'] as $text) {
            $this->assertStringContainsString($text, $html);
        }
        $page->zonefile = 'what was typed after the check counts for nothing';
        $page->take(true);
        $this->followed($page);
        $this->assertContains("A moved.$domain.", $this->names($zone));
        $this->assertNull($page->plan);

        $page->show();
        $this->assertStringContainsString('198.51.100.9', $page->export);
        $html = $this->html($page);
        $this->assertMatchesRegularExpression('/After: moved\.\S+ 300 A 198\.51\.100\.9/', $html);
        preg_match("/wire:click=\"undo\('(\d+)'\)\"/", $html, $found);
        $page->undo($found[1]);
        $this->followed($page);
        $page->undo($this->oldest($page), true);
        $this->followed($page);
        $this->assertNotContains("A moved.$domain.", $this->names($zone));
    }

    /** The id of the first change that came with the file. */
    private function oldest(FilePage $page): string
    {
        $ids = [];
        foreach (self::zones()->history($page->zone) as $past) {
            if (str_contains($past->after, '198.51.100.9') || str_contains($past->after, 'hi')) {
                $ids[] = (int) $past->id;
            }
        }

        return (string) min($ids);
    }

    public function test_a_file_that_is_none_is_refused_beside_it(): void
    {
        $page = $this->page(self::zone());
        $page->zonefile = '';
        $page->check();
        $this->assertTrue($page->getErrorBag()->has('zonefile'));
        $this->assertNull($page->plan);
    }

    public function test_another_customers_zone_is_not_found(): void
    {
        $zone = self::zone();
        Laravel::$user->id = self::customer();
        $page = $this->page($zone);
        $page->load();
        $this->assertStringContainsString('There is no such zone.', $this->html($page));
        $page->zonefile = 'x IN A 198.51.100.9';
        foreach (['show', 'check'] as $act) {
            $page->$act();
            $this->assertSame('error', end($page->toasts)[1]);
        }
        $this->assertSame(['', null], [$page->export, $page->plan]);
    }

    public function test_answers_of_another_shape_become_empty_lines(): void
    {
        foreach ([[], ['changes' => 'x'], ['changes' => [1, null]]] as $answer) {
            $this->assertSame([[], []], [Line::all($answer), Past::all($answer)]);
        }
        [$line] = Line::all(['changes' => [['act' => ['x'], 'line' => 'y', 'record' => 7, 'reason' => null]]]);
        $this->assertSame(['unknown', 0, '', ''], array_values(get_object_vars($line)));
        [$past] = Past::all(['changes' => [['id' => '1); alert(1', 'act' => 'dance', 'at' => 'yesterday', 'by' => 5, 'before' => []]]]);
        $this->assertSame(['', 'unknown', '', 'unknown', '', ''], array_values(get_object_vars($past)));
    }
}
