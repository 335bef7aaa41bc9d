<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

/**
 * WordPress inside the site: safe mode, options, and the addresses in its content.
 */
final class Tools extends Panel
{
    /**
     * What an older backend does not say is null, and not shown.
     *
     * @return array{busy: bool, job: ?array, status: string, safe_mode: ?bool, options: ?array{xmlrpc: bool, cache: bool,
     *     upload_mb: int, memory_mb: int}, most: array{upload_mb: int, memory_mb: int}, offers: list<array{from: string, to: string}>}
     */
    public function read(): array
    {
        $site = $this->backend->call('tools');
        $options = Field::map($site, 'options');
        $plan = Field::map($site, 'plan');
        $job = Job::of($site);

        return [
            'busy' => $job !== null && $job['running'],
            'job' => $job,
            'status' => Field::word($site, 'status', ['provisioning', 'running', 'stopped', 'suspended', 'deleting', 'failed']),
            'safe_mode' => is_bool($site['safe_mode'] ?? null) ? $site['safe_mode'] : null,
            'options' => $options === [] ? null : [
                'xmlrpc' => ($options['xmlrpc'] ?? null) === true, 'cache' => ($options['cache'] ?? null) === true,
                'upload_mb' => Field::number($options, 'upload_mb'), 'memory_mb' => Field::number($options, 'memory_mb')],
            'most' => ['upload_mb' => Field::number($plan, 'disk_gb') * 1024, 'memory_mb' => intdiv(Field::number($plan, 'memory_mb'), 4)],
            'offers' => $this->offers(),
        ];
    }

    /** @return array<string, mixed>|null */
    public function safeMode(bool $enabled): ?array
    {
        return $this->act('safe mode', ['enabled' => $enabled]);
    }

    /**
     * @param  array<string, bool|int>  $options  those that are to change: xmlrpc, cache, upload_mb, memory_mb
     * @return array<string, mixed>|null
     */
    public function set(array $options): ?array
    {
        return $this->act('set options', ['options' => $options]);
    }

    /**
     * How much replacing one host name by another would change. Nothing is changed.
     *
     * @return array{tables: int, changes: int, left: int}|null null: it takes longer than a page can wait
     */
    public function count(string $from, string $to): ?array
    {
        $found = $this->backend->call('count addresses', ['from' => trim($from), 'to' => trim($to), 'dry_run' => true], ['Prefer' => 'wait=18']);

        return ! isset($found['changes']) ? null : ['tables' => Field::number($found, 'tables'), 'changes' => Field::number($found, 'changes'),
            'left' => Field::number($found, 'left')];
    }

    /** @return array<string, mixed>|null */
    public function replace(string $from, string $to): ?array
    {
        return $this->act('replace addresses', ['from' => trim($from), 'to' => trim($to)]);
    }

    /** Names that the content may still bear. */
    private function offers(): array
    {
        $rows = Field::maps($this->backend->call('domains'), 'replace');

        return array_map(fn (array $row) => ['from' => Field::text($row, 'from'), 'to' => Field::text($row, 'to')], $rows);
    }
}
