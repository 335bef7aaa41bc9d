<?php

namespace Paymenter\Extensions\Others\DNS\Livewire;

use Illuminate\Support\Facades\View;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Line;
use Paymenter\Extensions\Others\DNS\Zones;

/**
 * A zone as a whole: its file, another one taken in, and what was changed.
 */
class FilePage extends Page
{
    /** Its id. A zone that is another's is not found among the customer's own. */
    #[Locked]
    public string $zone;

    /** What is typed, pasted or chosen. */
    public string $zonefile = '';

    public string $mode = 'add';

    /** What was tried, and nothing else is taken in. */
    #[Locked]
    public string $tried = '';

    #[Locked]
    public string $triedMode = 'add';

    /** @var list<array{act: string, number: int, text: string, reason: string}>|null what would become of each line */
    #[Locked]
    public ?array $plan = null;

    /** The zone's own file, once it was asked for. */
    #[Locked]
    public string $export = '';

    public function mount(string $zone): void
    {
        $this->zone = $zone;
    }

    public function show(): void
    {
        try {
            $this->export = $this->zones()->export($this->zone);
        } catch (ApiException $e) {
            $this->notify($this->sentence($e), 'error');
        }
    }

    /** Says what would become of each line. */
    public function check(): void
    {
        $this->plan = null;
        $mode = $this->mode === 'replace' ? 'replace' : 'add';
        $try = function (Zones $zones) use ($mode) {
            $lines = $zones->tryImport($this->zone, $this->zonefile, $mode);
            $this->plan = array_map(fn (Line $line) => get_object_vars($line), $lines);

            return null;
        };
        if ($this->attempt($try, __('dns::dns.checked'))) {
            [$this->tried, $this->triedMode] = [$this->zonefile, $mode];
        }
    }

    /** @param  bool  $skipRefused  take the rest where some records cannot be taken */
    public function take(bool $skipRefused = false): void
    {
        if ($this->plan === null) {
            return;
        }
        $import = fn (Zones $zones) => $zones->import($this->zone, $this->tried, $this->triedMode, $skipRefused);
        if ($this->attempt($import, __('dns::dns.taken'))) {
            $this->plan = null;
            $this->zonefile = $this->tried = $this->export = '';
        }
    }

    /** @param  bool  $andLater  also all that came after it */
    public function undo(string $change, bool $andLater = false): void
    {
        $this->attempt(fn (Zones $zones) => $zones->undo($this->zone, $change, $andLater), __('dns::dns.undone'));
    }

    public function render()
    {
        [$zone, $history, $error] = [null, [], null];
        try {
            if ($this->loaded) {
                $zone = $this->zones()->find($this->zone);
                $history = $this->zones()->history($this->zone);
            }
        } catch (ApiException $e) {
            $isOlder = $zone !== null && $e->is('not_found'); // a backend that keeps no history
            $error = $isOlder ? null : $this->sentence($e);
        }

        return View::make('dns::file', ['found' => $zone, 'history' => $history, 'error' => $error, 'watching' => $this->jobs !== []])
            ->layoutData(['title' => $zone === null ? __('dns::dns.title') : $zone->name, 'sidebar' => true]);
    }
}
