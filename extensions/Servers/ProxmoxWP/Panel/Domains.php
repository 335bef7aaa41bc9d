<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

/**
 * The customer's own domains.
 */
final class Domains extends Panel
{
    /**
     * @return array{busy: bool, domains: list<array{name: string, status: string, certificate: string, error: string,
     *     problem: string, primary: bool}>,
     *     used: int, allowed: int, remaining: int}
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
        ];
    }

    /**
     * The backend looks at the domain's DNS first, for up to ten seconds.
     *
     * @return array<string, mixed>|null
     */
    public function add(string $domain): ?array
    {
        return $this->act('add domain', ['domain' => trim($domain)]);
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

    /** @return array<string, mixed>|null */
    public function remove(string $domain): ?array
    {
        return $this->act('remove domain', ['domain' => $domain]);
    }
}
