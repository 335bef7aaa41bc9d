<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use Illuminate\Support\Facades\Cache;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Calls;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Field;

/**
 * The product setting "plan". Paymenter asks for it at each render of the product form, so the backend's list
 * is cached, and its last known list is used while it is away.
 */
final class Plans
{
    /** Seconds until the backend is asked again, whether it answered or not. */
    private const FRESH = 60;

    private string $cacheKey;

    public function __construct(private ?string $base, private ?string $token)
    {
        $this->cacheKey = 'proxmoxwp.plans.'.sha1((string) $base);
    }

    /**
     * A select with the backend's plans; a text field while it was never reached.
     *
     * @param  mixed  $current  what the product has now; stays selectable
     * @return array<string, mixed> one field in the form of `getProductConfig()`
     */
    public function field(mixed $current): array
    {
        $field = ['name' => 'plan', 'label' => 'Plan', 'required' => true];
        $options = $this->options();
        if ($options === []) {
            return $field + ['type' => 'text', 'description' => 'The backend cannot be asked for its plans at the moment. '
                .'The name of one can be entered, for example: basic'];
        }
        if (is_string($current) && $current !== '' && ! isset($options[$current])) {
            $options[$current] = "$current (not a plan of the backend)";
        }

        return $field + ['type' => 'select', 'options' => $options, 'description' => "The site's resources."];
    }

    /** @return array<string, string> plan name => label */
    private function options(): array
    {
        $known = Cache::get($this->cacheKey);
        $known = is_array($known) ? $known : ['asked_at' => 0, 'options' => []];
        if (time() - $known['asked_at'] < self::FRESH) {
            return $known['options'];
        }
        try {
            $known['options'] = $this->read();
        } catch (ApiException $e) {
            report($e);
        }
        Cache::forever($this->cacheKey, ['asked_at' => time()] + $known);

        return $known['options'];
    }

    private function read(): array
    {
        $calls = new Calls(new Client($this->base, $this->token), Backend::CALLS);
        $numbers = ['memory_mb', 'disk_gb', 'cores', 'backups', 'domains'];
        $options = [];
        foreach (Field::maps($calls->make('plans'), 'plans') as $plan) {
            if (($name = Field::text($plan, 'name')) !== '') {
                $options[$name] = sprintf('%s (%d MB, %d GB, %d cores, %d backups, %d domains)', $name,
                    ...array_map(fn ($key) => Field::number($plan, $key), $numbers));
            }
        }

        return $options;
    }
}
