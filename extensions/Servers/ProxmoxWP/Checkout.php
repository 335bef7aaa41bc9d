<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use Closure;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Calls;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Field;

/**
 * What a customer is asked before he pays: the name of his site with us, or a domain of his own. Both may be left empty, and while the
 * backend is away nobody is kept from buying: a name that turns out to be taken gets a suffix.
 */
final class Checkout
{
    /** Keys of the service's properties, as which Paymenter stores the answers. */
    public const NAME = 'site_name';

    public const DOMAIN = 'site_domain';

    /** @var array<string, string|null> what is known by name: the form asks for the sentence, and then for the refusal */
    private array $known = [];

    public function __construct(private ?string $base, private ?string $token, private string $publicIp) {}

    /**
     * @param  array<string, mixed>  $values  what is typed so far: Paymenter asks again at each change
     * @return list<array<string, mixed>> in the form of `getCheckoutConfig()`
     */
    public function fields(array $values): array
    {
        $name = trim(is_string($values[self::NAME] ?? null) ? $values[self::NAME] : '');
        $domain = trim(is_string($values[self::DOMAIN] ?? null) ? $values[self::DOMAIN] : '');

        return [
            ['name' => self::NAME, 'type' => 'text', 'label' => __('proxmoxwp::panel.wish'), 'placeholder' => 'my-shop', 'default' => '',
                'description' => $this->aboutName($name), 'validation' => ['nullable', 'max:255', $this->refusesName()]],
            ['name' => self::DOMAIN, 'type' => 'text', 'label' => __('proxmoxwp::panel.wish_domain'), 'placeholder' => 'www.example.com',
                'default' => '', 'description' => __('proxmoxwp::panel.'.($domain === '' ? 'wish_domain_hint' : 'wish_domain_dns'),
                    ['domain' => $domain, 'address' => $this->publicIp]),
                'validation' => ['nullable', 'max:253', 'regex:/\A(?=.{4,253}\z)([^\s.\/:@]{1,63}\.)+[^\s.\/:@]{2,63}\.?\z/u']],
        ];
    }

    private function aboutName(string $name): string
    {
        if ($name === '') {
            return __('proxmoxwp::panel.wish_hint');
        }
        $reason = $this->reason($name);

        return match ($reason) {
            null => __('proxmoxwp::panel.wish_unknown'),
            '' => __('proxmoxwp::panel.wish_free', ['name' => strtolower($name)]),
            default => $reason,
        };
    }

    private function refusesName(): Closure
    {
        return function (string $attribute, mixed $value, Closure $fail): void {
            $name = trim(is_string($value) ? $value : '');
            if ($name !== '' && ($reason = (string) $this->reason($name)) !== '') {
                $fail($reason);
            }
        };
    }

    /** @return string|null why a name cannot be had; '' where it can; null where nobody can tell now */
    private function reason(string $name): ?string
    {
        if (! array_key_exists($name, $this->known)) {
            try {
                $answer = (new Calls(new Client($this->base, $this->token), Backend::CALLS))->make('subdomain', ['name' => $name]);
                $this->known[$name] = ($answer['free'] ?? null) === true ? '' : (Field::text($answer, 'reason') ?: null);
            } catch (ApiException $e) {
                report($e);

                return $e->is('validation') ? $e->getMessage() : null;
            }
        }

        return $this->known[$name];
    }
}
