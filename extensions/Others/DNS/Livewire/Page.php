<?php

namespace Paymenter\Extensions\Others\DNS\Livewire;

use App\Livewire\Component;
use Illuminate\Support\Facades\Auth;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\DNS;
use Paymenter\Extensions\Others\DNS\Settings;
use Paymenter\Extensions\Others\DNS\Zones;

/**
 * What both pages share. They are shown before anything is asked of the backend, and then call `load`, which they repeat only
 * while work goes on. Whose zones are meant is asked of the session each time; no property says it.
 */
abstract class Page extends Component
{
    /** The form's field for a field of the API, where they differ. */
    private const FIELDS = ['ip' => 'content', 'target' => 'content', 'exchange' => 'content', 'ns' => 'content', 'txt' => 'content'];

    /** What is no business of a customer: the operator's settings, and faults of ours. */
    private const OURS = ['unauthorized', 'forbidden', 'settings', 'bad_answer', 'internal', 'unavailable', 'unreachable'];

    #[Locked]
    public bool $loaded = false;

    /** @var list<string> ids of jobs that still go on */
    #[Locked]
    public array $jobs = [];

    private ?Settings $settings = null;

    private ?Zones $zones = null;

    public function boot(): void
    {
        abort_unless(Auth::check(), 403);
    }

    public function load(): void
    {
        $this->loaded = true;
        $this->jobs = array_values(array_filter($this->jobs, $this->isGoingOn(...)));
    }

    protected function settings(): Settings
    {
        return $this->settings ??= DNS::current() ?? abort(404);
    }

    /** @throws ApiException `settings`: they cannot be right */
    protected function zones(): Zones
    {
        return $this->zones ??= new Zones($this->settings()->client(), (string) Auth::id());
    }

    /**
     * Makes a change and says how it went: a toast, or a sentence beside the field that is wrong.
     *
     * @param  callable(Zones): ?string  $change  returns the id of the job, while it goes on
     * @param  string  $done  the toast for a change that is made
     * @param  bool  $leaving  whether another page is shown next, which then has the toast
     * @return bool whether it was accepted
     */
    protected function attempt(callable $change, string $done, bool $leaving = false): bool
    {
        $this->resetErrorBag();
        try {
            $job = $change($this->zones());
        } catch (ApiException $e) {
            $this->refuse($e);

            return false;
        }
        if ($job !== null) {
            $this->jobs[] = $job;
        }
        $this->notify($job === null ? $done : __('dns::dns.going_on'), redirect: $leaving);

        return true;
    }

    /** The backend's own sentence where it is about the customer's zones, else one of ours, and the cause in the log. */
    protected function sentence(ApiException $e): string
    {
        if (! $e->is('timeout', ...self::OURS)) {
            return $e->getMessage();
        }
        report($e);

        return __($e->is('timeout') ? 'dns::dns.timeout' : 'dns::dns.away');
    }

    private function refuse(ApiException $e): void
    {
        $shown = false;
        foreach ($e->fields as $field => $sentences) {
            $field = self::FIELDS[$field] ?? $field;
            if (property_exists($this, $field)) {
                $this->addError($field, implode(' ', $sentences));
                $shown = true;
            }
        }
        if (! $shown) {
            $this->notify($this->sentence($e), 'error');
        }
    }

    private function isGoingOn(string $job): bool
    {
        try {
            if (! $this->zones()->isDone($job)) {
                return true;
            }
            $this->notify(__('dns::dns.done'));
        } catch (ApiException $e) {
            if ($e->isUnanswered()) {
                return true;
            }
            $this->notify($this->sentence($e), 'error');
        }

        return false;
    }
}
