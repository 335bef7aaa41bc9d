<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Livewire;

use App\Helpers\ExtensionHelper;
use App\Livewire\Component;
use App\Models\Service;
use Illuminate\Support\Facades\View;
use Livewire\Attributes\Locked;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Overview;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Sentence;
use Throwable;

/**
 * The page behind the button "Log in to WordPress", which opens in a tab of its own: it is there at once, and then asks for the
 * one-time link and goes there. Opening the page asks nothing, so fetching it ahead of a click costs nothing; the link is in no
 * property, page or log.
 */
class LogIn extends Component
{
    #[Locked]
    public Service $service;

    /** Why it could not be done, as a sentence. */
    #[Locked]
    public ?string $trouble = null;

    public function mount(Service $service): void
    {
        $this->service = $service;
        $this->authorize('view', $this->service);
    }

    /** What the page does by itself, and "Try again". */
    public function enter(): void
    {
        $this->authorize('view', $this->service);
        $this->trouble = null;
        if ($this->service->status !== Service::STATUS_ACTIVE) {
            $this->trouble = __('proxmoxwp::panel.trouble.not_active');

            return;
        }
        try {
            $backend = ExtensionHelper::callService($this->service, 'backend');
            $url = (new Overview($backend ?? throw new ApiException('This product has no server.', 'settings')))->logInUrl();
        } catch (Throwable $e) {
            $this->trouble = Sentence::of($e);

            return;
        }
        $this->redirect($url);
    }

    public function render()
    {
        return View::make('proxmoxwp::log-in')->layoutData(['title' => __('proxmoxwp::panel.log_in'), 'sidebar' => true]);
    }
}
