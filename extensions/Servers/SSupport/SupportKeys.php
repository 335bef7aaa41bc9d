<?php

namespace Paymenter\Extensions\Servers\SSupport;

use Paymenter\Extensions\Servers\SSupport\Api\ApiException;
use Paymenter\Extensions\Servers\SSupport\Api\Calls;
use Paymenter\Extensions\Servers\SSupport\Api\Client;

/**
 * The backend's support keys. What hooks ask for is asked again while the backend is away, since Paymenter asks once only; each
 * hook ends within 26 seconds.
 */
final class SupportKeys
{
    public const CALLS = [
        'create' => ['POST', '/support/create', 'within' => 8,
            'sends' => ['service_id', 'email', 'firstname', 'lastname'], 'reads' => ['support_key', 'status']],
        'suspend' => ['POST', '/support/suspend', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['status']],
        'unsuspend' => ['POST', '/support/unsuspend', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['status']],
        'terminate' => ['POST', '/support/terminate', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['status']],
        'owner' => ['POST', '/service/owner', 'within' => 8, 'sends' => ['service_id', 'user_id', 'email'], 'reads' => []],
        'rotate' => ['POST', '/support/rotate', 'within' => 8, 'sends' => ['service_id', 'support_key'], 'reads' => ['support_key', 'status']],
        'status' => ['GET', '/support/status', 'within' => 8,
            'sends' => ['service_id'], 'reads' => ['support_key', 'status', 'email']],
    ];

    private Calls $calls;

    public function __construct(Client $client)
    {
        $this->calls = new Calls($client, self::CALLS);
    }

    /**
     * Gives a service its key, or finds the one it has, of an earlier try or from before its cancellation.
     *
     * @param  bool  $revive  whether a key that was suspended or ended is to be good again
     * @param  array{email: string, firstname: string, lastname: string}  $customer
     * @return array{support_key: string, status: string}
     *
     * @throws ApiException
     */
    public function create(int|string $serviceId, array $customer, bool $revive): array
    {
        try {
            $made = $this->calls->insist('create', ['service_id' => (string) $serviceId] + $customer, [], 13);

            return self::texts($made, 'support_key', 'status');
        } catch (ApiException $e) {
            if (! $e->is('exists')) {
                throw $e;
            }
        }
        $key = $this->insist($serviceId, 6);
        if ($revive && $key['status'] !== 'ACTIVE') {
            $key = $this->change('unsuspend', $serviceId, 6) + $key;
        }

        return ['support_key' => $key['support_key'], 'status' => $key['status']];
    }

    /**
     * @param  string  $act  `suspend`, `unsuspend` or `terminate`
     * @param  float  $seconds  to keep asking
     * @return array{status: string}
     *
     * @throws ApiException
     */
    public function change(string $act, int|string $serviceId, float $seconds = 25): array
    {
        return self::texts($this->calls->insist($act, ['service_id' => (string) $serviceId], [], $seconds), 'status');
    }

    /**
     * A new key in the place of this one, which is dead at once.
     *
     * @return array{support_key: string, status: string}
     *
     * @throws ApiException `wrong_state`: it was not the key any more
     */
    public function rotate(int|string $serviceId, string $key): array
    {
        return self::texts($this->calls->make('rotate', ['service_id' => (string) $serviceId, 'support_key' => $key]), 'support_key', 'status');
    }

    /** @throws ApiException */
    public function tellOwner(int|string $serviceId, string $userId, string $email): array
    {
        return $this->calls->insist('owner', ['service_id' => (string) $serviceId, 'user_id' => $userId, 'email' => $email], [], 25);
    }

    /**
     * For hooks: find(), again and again while the backend is away.
     *
     * @param  float  $seconds  to keep asking
     * @return array{support_key: string, status: string, email: string}
     *
     * @throws ApiException
     */
    public function insist(int|string $serviceId, float $seconds = 25): array
    {
        $found = $this->calls->insist('status', ['service_id' => (string) $serviceId], [], $seconds);

        return self::texts($found, 'support_key', 'status', 'email');
    }

    /**
     * For pages.
     *
     * @return array{support_key: string, status: string, email: string} `status`: ACTIVE, SUSPENDED or INACTIVE
     *
     * @throws ApiException
     */
    public function find(int|string $serviceId): array
    {
        $found = $this->calls->make('status', ['service_id' => (string) $serviceId]);

        return self::texts($found, 'support_key', 'status', 'email');
    }

    /**
     * These fields of an answer, each of them a text that says something.
     *
     * @throws ApiException
     */
    private static function texts(array $answer, string ...$fields): array
    {
        foreach ($fields as $field) {
            if (! is_string($answer[$field] ?? null) || $answer[$field] === '') {
                throw new ApiException('The backend gave an answer that could not be understood.', 'bad_answer');
            }
        }

        return $answer;
    }
}
