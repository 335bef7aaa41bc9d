<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use App\Helpers\ExtensionHelper;
use App\Livewire\Component;
use App\Models\Service;
use Illuminate\Support\Facades\View;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Backend;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Panel;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Sentence;
use Throwable;

/**
 * What the three parts of the client area have in common: they come with the page without asking the backend,
 * ask it then (`load`), ask again while something is going on (`poll`), and tell how what the customer began
 * has ended.
 *
 * Every public method may be called by a browser with any argument, so each asks first whether this user may
 * see the service. What the browser must not choose is locked.
 */
abstract class Part extends Component
{
    /** After so many looks, a few seconds apart, a site that is not there is not waited for any more. */
    private const MOST_MISSES = 40;

    #[Locked]
    public Service $service;

    /** What the panel has read; null until then. */
    #[Locked]
    public ?array $data = null;

    /** Why it could not be read, as a sentence. */
    #[Locked]
    public ?string $trouble = null;

    /** The job that the customer has begun here. */
    #[Locked]
    public ?array $job = null;

    /** What he was told when it had begun; the backend's own name of the step is for staff. */
    #[Locked]
    public ?string $begun = null;

    /** What he is told when it has succeeded. */
    #[Locked]
    public ?string $whenDone = null;

    /** What he is asked: an act that deletes newer backups, and the backend's sentence about them. */
    #[Locked]
    public ?array $question = null;

    /** How often there was no site at all: Paymenter's queue may not have come to the order yet. */
    #[Locked]
    public int $misses = 0;

    /** There is no site, since its order failed; staff know, and may repeat it. */
    #[Locked]
    public bool $orderFailed = false;

    /** The panel's name: view and texts go by it. */
    abstract protected function name(): string;

    abstract protected function panel(Backend $backend): Panel;

    public function mount(): void
    {
        $this->authorize('view', $this->service);
    }

    /** The first look, and "Try again". */
    public function load(): void
    {
        $this->authorize('view', $this->service);
        $this->read();
    }

    /** Another look while something is going on. */
    public function poll(): void
    {
        $this->authorize('view', $this->service);
        $this->follow();
        $this->read();
    }

    /** The customer has decided against it. */
    public function decline(): void
    {
        $this->authorize('view', $this->service);
        $this->question = null;
    }

    public function render()
    {
        $awaited = $this->misses > 0 && $this->misses < self::MOST_MISSES;

        $busy = $awaited || $this->job !== null || ($this->data['busy'] ?? false);

        return View::make('proxmoxwp::'.$this->name(), ['busy' => $busy]);
    }

    /**
     * Does what the customer wants, and tells him.
     *
     * @param  callable(Panel): ?array  $act  gives the job that goes on, or null where all is done
     * @param  string  $text  name of the texts: "…started" and "…done"
     * @param  callable(ApiException): bool|null  $otherwise  true where it has dealt with the refusal
     * @return bool whether the backend has taken it on
     */
    protected function act(callable $act, string $text, ?callable $otherwise = null): bool
    {
        $this->authorize('view', $this->service);
        $this->question = null;
        try {
            $this->job = $act($this->reach());
        } catch (Throwable $e) {
            if (! ($e instanceof ApiException && $otherwise !== null && $otherwise($e))) {
                $this->notify(Sentence::of($e), 'error');
            }

            return false;
        }
        $this->begun = $this->job === null ? null : __("proxmoxwp::panel.started.$text");
        $this->whenDone = __("proxmoxwp::panel.done.$text");
        $this->notify($this->begun ?? $this->whenDone, 'success');
        $this->read();

        return true;
    }

    /** Asks what to do about backups that stand in the way of an act. */
    protected function askAboutBackups(string $subject): callable
    {
        return function (ApiException $e) use ($subject): bool {
            if ($e->is('backups_in_the_way')) {
                $this->question = ['subject' => $subject, 'sentence' => $e->getMessage()];
            }

            return $this->question !== null;
        };
    }

    private function read(): void
    {
        try {
            $this->data = $this->reach()->read();
            $this->trouble = null;
            $this->orderFailed = false;
            $this->misses = 0;
        } catch (Throwable $e) {
            $missing = $this->data === null && $e instanceof ApiException && $e->is('not_found');
            $this->orderFailed = $missing && (ExtensionHelper::callService($this->service, 'orderFailed')
                || ExtensionHelper::callService($this->service, 'orderIsLost'));
            $this->misses = $missing && ! $this->orderFailed ? $this->misses + 1 : 0;
            $this->trouble = match (true) {
                $this->orderFailed => __('proxmoxwp::panel.order_failed'),
                $missing => __('proxmoxwp::panel.trouble.not_yet'),
                default => Sentence::of($e),
            };
        }
    }

    private function follow(): void
    {
        if ($this->job === null) {
            return;
        }
        try {
            $job = $this->reach()->job($this->job['id']);
        } catch (Throwable $e) {
            report($e); // the next look tells

            return;
        }
        if ($job !== null && $job['running']) {
            $this->job = $job;

            return;
        }
        $this->job = $this->begun = null;
        if ($job !== null && $job['succeeded']) {
            $this->notify($this->whenDone, 'success');
        } else {
            $this->notify(($job['error'] ?? '') ?: __('proxmoxwp::panel.trouble.failed'), 'error');
        }
    }

    private function reach(): Panel
    {
        $backend = ExtensionHelper::callService($this->service, 'backend');

        // A product that has lost its server has no backend either.
        return $this->panel($backend ?? throw new ApiException('This product has no server.', 'settings'));
    }
}
