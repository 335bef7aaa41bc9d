<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Panel\Field;

/**
 * One order of a site, which may be placed again until it is known to have arrived.
 */
final class Order
{
    /** Seconds for the order; with the status afterwards it makes 27, and a hook has 30. */
    private const SECONDS = 19;

    /** How many earlier sites of the service may have been deleted on one day. */
    private const MOST_REPLAYS = 5;

    /**
     * @param  string  $userId  Paymenter's number of the customer, whose domains and zones belong together
     * @param  int  $orderedAt  when the service was made, seconds since 1970
     * @param  string  $subdomain  the one that the customer wishes; '' for none
     */
    public function __construct(
        private Backend $backend,
        private string $email,
        private string $userId,
        private string $plan,
        private string $publicIp,
        private int $orderedAt,
        private string $subdomain = '',
    ) {}

    /**
     * Orders the site, or finds that it was ordered already.
     *
     * @return array{service_id: string, plan: string, public_ip: string, subdomain: string, url: string, status: string}
     *
     * @throws ApiException
     */
    public function place(): array
    {
        $order = ['email' => $this->email, 'plan' => $this->plan, 'public_ip' => $this->publicIp, 'user_id' => $this->userId]
            + ($this->subdomain === '' ? [] : ['subdomain' => $this->subdomain]);
        $end = microtime(true) + self::SECONDS;
        $key = $this->key($order);
        for ($replays = 0; ; $replays++) {
            try {
                $headers = ['Idempotency-Key' => $key, 'Prefer' => 'respond-async'];
                $answer = $this->backend->insist('create', $order, $headers, $end - microtime(true));
            } catch (ApiException $e) {
                return $this->isStanding($e) ? $this->summary($this->backend->call('status')) : throw $e;
            }
            try {
                return $this->summary($this->backend->call('status'));
            } catch (ApiException $e) {
                // The order is accepted, even if how it goes cannot be read now. But no site at all means that the answer
                // was one that the backend had kept: from an order of the last 24 hours whose site is deleted since.
                if (! $e->is('not_found') || $replays === self::MOST_REPLAYS) {
                    return $this->summary($answer);
                }
                $key .= '-'.Field::text(Field::map($answer, 'job'), 'id');
            }
        }
    }

    /** The same for every try of the same order; another one when what was ordered has been changed since. */
    private function key(array $order): string
    {
        $what = substr(hash('sha256', serialize($order)), 0, 12);

        return "create-{$this->backend->serviceId}-{$this->orderedAt}-$what";
    }

    /**
     * Whether the refusal means that an earlier try has arrived, and not that an earlier site is still being
     * removed.
     */
    private function isStanding(ApiException $e): bool
    {
        $state = Field::text(Field::map($e->body, 'job'), 'state');

        return $e->is('exists') && Field::text($e->body, 'status') !== 'deleting' && $state !== 'rolling_back';
    }

    private function summary(array $site): array
    {
        return ['service_id' => $this->backend->serviceId, 'plan' => $this->plan, 'public_ip' => $this->publicIp,
            'subdomain' => Field::text($site, 'subdomain'), 'url' => Field::text($site, 'url'),
            'status' => Field::text($site, 'status')];
    }
}
