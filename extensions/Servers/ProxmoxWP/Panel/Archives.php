<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;

/**
 * The site's archives on other storage, made each night and when its customer wants.
 */
final class Archives extends Panel
{
    /**
     * @return array{busy: bool, there: bool, archives: list<array{name: string, status: string, origin: string, made_at: int, size: int,
     *     until: int}>, schedule: string, next_at: int, used: int, allowed: int}
     *     `there`: whether there is anything to show; moments in seconds since 1970, 0 if unknown; `size` in MB
     */
    public function read(): array
    {
        try {
            $answer = $this->backend->call('archives');
        } catch (ApiException $e) {
            if (! $e->is('not_found')) {
                throw $e;
            }
            $answer = []; // an older backend, or no site, which the page's other part tells
        }
        $archives = array_map(self::row(...), Field::maps($answer, 'archives'));
        preg_match('~\A(\d+)/(\d+)\z~', Field::text($answer, 'quota'), $quota);
        $schedule = Field::word($answer, 'schedule', ['daily', 'weekly', 'none']);

        return [
            'busy' => array_intersect(['creating', 'deleting'], array_column($archives, 'status')) !== [],
            'there' => $archives !== [] || (int) ($quota[2] ?? 0) > 0,
            'archives' => $archives,
            'schedule' => $schedule,
            'next_at' => Field::moment(Field::text($answer, 'next_at')),
            'used' => (int) ($quota[1] ?? 0),
            'allowed' => (int) ($quota[2] ?? 0),
        ];
    }

    /** @return array<string, mixed>|null */
    public function create(): ?array
    {
        return $this->act('make archive');
    }

    /** @return array<string, mixed>|null */
    public function delete(string $name): ?array
    {
        return $this->act('delete archive', ['archive' => $name]);
    }

    private static function row(array $row): array
    {
        return ['name' => Field::text($row, 'name'), 'status' => Field::word($row, 'status', ['creating', 'ready', 'deleting']),
            'origin' => Field::word($row, 'origin', ['schedule', 'customer', 'deletion']), 'made_at' => Field::moment(Field::text($row, 'created_at')),
            'size' => Field::number($row, 'size_mb'), 'until' => Field::moment(Field::text($row, 'expires_at'))];
    }
}
