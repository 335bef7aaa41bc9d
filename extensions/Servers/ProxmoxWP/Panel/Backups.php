<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

/**
 * The site's backups.
 */
final class Backups extends Panel
{
    /**
     * @return array{busy: bool, backups: list<array{name: string, status: string, made_at: int, safety: bool}>, used: int, allowed: int}
     *     newest first; `made_at` in seconds since 1970, 0 if unknown; `safety`: kept by the platform before a change, not counted
     */
    public function read(): array
    {
        $answer = $this->backend->call('backups');
        $backups = array_map(fn (array $row) => [
            'name' => Field::text($row, 'name'),
            'status' => Field::word($row, 'status', ['creating', 'ready', 'deleting']),
            'made_at' => Field::moment(Field::text($row, 'created_at')),
            'safety' => Field::text($row, 'kind') === 'safety',
        ], Field::maps($answer, 'backups'));

        return [
            'busy' => array_intersect(['creating', 'deleting'], array_column($backups, 'status')) !== [],
            'backups' => $backups,
            'used' => Field::number($answer, 'used'),
            'allowed' => Field::number($answer, 'allowed'),
        ];
    }

    /** @return array<string, mixed>|null */
    public function create(): ?array
    {
        return $this->act('make backup');
    }

    /** @return array<string, mixed>|null */
    public function delete(string $name): ?array
    {
        return $this->act('delete backup', ['bak' => $name]);
    }

    /**
     * @param  bool  $discardBackups  also where that deletes newer backups
     * @return array<string, mixed>|null
     */
    public function rollBack(string $name, bool $discardBackups = false): ?array
    {
        return $this->act('roll back', ['bak' => $name] + ($discardBackups ? ['discard_backups' => true] : []));
    }
}
