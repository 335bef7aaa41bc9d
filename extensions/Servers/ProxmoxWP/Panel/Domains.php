<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;

/**
 * The customer's own domains.
 */
final class Domains extends Panel
{
    /**
     * @return array{busy: bool, domains: list<array{name: string, status: string, certificate: string, error: string,
     *     problem: string, primary: bool}>,
     *     used: int, allowed: int, remaining: int, own: array{name: string, primary: bool}|null}
     *     `own`: the platform's name of the site; null: not known now
     */
    public function read(): array
    {
        $answer = $this->backend->call('domains');
        $quota = Field::map($answer, 'quota');
        $domains = array_map(fn (array $row) => [
            'name' => Field::text($row, 'domain'),
            'status' => Field::word($row, 'status', ['pending', 'active', 'failed']),
            'certificate' => Field::word($row, 'certificate', ['none', 'pending', 'active', 'failed']),
            'error' => Field::text($row, 'error'),
            'problem' => Field::text($row, 'problem'),
            'primary' => ($row['primary'] ?? null) === true,
        ], Field::maps($answer, 'details'));
        $states = [...array_column($domains, 'status'), ...array_column($domains, 'certificate')];

        return [
            'busy' => in_array('pending', $states, true),
            'domains' => $domains,
            'used' => Field::number($quota, 'used'),
            'allowed' => Field::number($quota, 'allowed'),
            'remaining' => Field::number($quota, 'remaining'),
            'own' => $this->ownName(),
        ];
    }

    /**
     * The backend looks at the domain's DNS first, for up to ten seconds.
     *
     * @param  bool  $byTxt  whether its TXT record is to be looked at, and not its A record
     * @return array<string, mixed>|null
     */
    public function add(string $domain, bool $byTxt = false): ?array
    {
        return $this->act('add domain', ['domain' => trim($domain)] + ($byTxt ? ['verify' => 'txt'] : []));
    }

    /**
     * Has the site go by this name; all its others lead there.
     *
     * @return array<string, mixed>|null
     */
    public function choose(string $domain): ?array
    {
        return $this->act('choose primary', ['domain' => $domain]);
    }

    /** That it cannot be read must not hide the customer's domains. */
    private function ownName(): ?array
    {
        try {
            $site = $this->backend->call('names');
        } catch (ApiException $e) {
            report($e);

            return null;
        }
        $subdomain = Field::text($site, 'subdomain');
        foreach (array_filter(Field::map($site, 'domains'), 'is_string') as $name) {
            if ($subdomain !== '' && str_starts_with($name, "$subdomain.")) {
                return ['name' => $name, 'primary' => Field::text($site, 'primary') === $name];
            }
        }

        return null;
    }

    /** @return array<string, mixed>|null */
    public function remove(string $domain): ?array
    {
        return $this->act('remove domain', ['domain' => $domain]);
    }
}
