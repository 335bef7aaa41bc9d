<?php

namespace Paymenter\Extensions\Servers\SSupport\Livewire;

use App\Helpers\ExtensionHelper;
use App\Livewire\Component;
use App\Models\Service;
use Illuminate\Support\Facades\View;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\SSupport\Api\ApiException;

/**
 * The support key on the page of its service. The page is shown first, then this asks the backend.
 */
class Panel extends Component
{
    #[Locked]
    public Service $service;

    #[Locked]
    public bool $loaded = false;

    public function mount(): void
    {
        $this->authorize('view', $this->service);
    }

    public function load(): void
    {
        $this->authorize('view', $this->service);
        $this->loaded = true;
    }

    /** A new key: the customer thinks that others know the old one. What is replaced is the key that he sees. */
    public function rotate(string $key): void
    {
        $this->authorize('view', $this->service);
        try {
            ExtensionHelper::callService($this->service, 'rotateKey', [$key]) ?? throw new ApiException('This product has no server.', 'settings');
            $this->notify(__('ssupport::support.rotated'), 'success');
        } catch (ApiException $e) {
            $isReplaced = $e->is('wrong_state');
            if (! $isReplaced) {
                report($e);
            }
            $this->notify(__('ssupport::support.'.($isReplaced ? 'replaced_already' : 'not_now')), 'error');
        }
    }

    public function render()
    {
        return View::make('ssupport::panel', $this->loaded ? $this->facts() : []);
    }

    /**
     * What the backend says, else what was stored at the order, with a sentence that says why.
     *
     * @return array{key: string, status: ?string, email: string, error: ?string, portal: string}
     */
    private function facts(): array
    {
        $stored = (string) ExtensionHelper::callService($this->service, 'storedKey');
        $facts = ['key' => $stored, 'status' => null, 'email' => (string) $this->service->user->email, 'error' => null,
            'portal' => (string) ExtensionHelper::callService($this->service, 'portal')];
        try {
            $found = ExtensionHelper::callService($this->service, 'supportKey');
        } catch (ApiException $e) {
            return ['error' => $this->sentence($e, $stored !== '')] + $facts;
        }
        if ($found === null) { // the product has no server any more
            return ['error' => __('ssupport::support.away')] + $facts;
        }

        return ['key' => $found['support_key'], 'status' => $found['status'], 'email' => $found['email']] + $facts;
    }

    /** What goes wrong between operator and backend is for the log; customers learn only that it does. */
    private function sentence(ApiException $e, bool $ordered): string
    {
        if ($e->is('not_found') && ! $ordered) {
            $failed = ExtensionHelper::callService($this->service, 'orderFailed');

            return __($failed ? 'ssupport::support.order_failed' : 'ssupport::support.none'); // or the queue has not come to it yet
        }
        report($e);

        return __('ssupport::support.away');
    }
}
