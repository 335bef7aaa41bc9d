<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use InvalidArgumentException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;

/**
 * How the site is, and its power.
 */
final class Overview extends Panel
{
    private const STATUSES = ['provisioning', 'running', 'stopped', 'suspended', 'deleting', 'failed'];

    /** @return array<string, mixed> all texts, except the flags `busy, stale, enabled, safe_mode`, the number `disk_percent` and the
     *     maps `job, plan, traffic`; null is not known */
    public function read(): array
    {
        $site = $this->backend->call('status');
        $resources = Field::map($site, 'resources');
        $plan = Field::map($site, 'plan');
        $job = Job::of($site);
        $usage = Field::map($site, 'usage');
        $status = Field::word($site, 'status', self::STATUSES);

        return [
            'status' => $status,
            'busy' => in_array($status, ['provisioning', 'deleting'], true) || ($job !== null && $job['running']),
            'job' => $job,
            'subdomain' => Field::text($site, 'subdomain'),
            'url' => Field::link(Field::text($site, 'url')),
            'public_ip' => Field::text($site, 'public_ip'),
            'plan' => ['name' => Field::text($plan, 'name'), 'memory_mb' => Field::number($plan, 'memory_mb'),
                'disk_gb' => Field::number($plan, 'disk_gb'), 'cores' => Field::number($plan, 'cores')],
            'cpu' => Field::text($resources, 'cpu'),
            'memory' => Field::text($resources, 'memory'),
            'disk' => Field::text($resources, 'disk'),
            'uptime' => Field::text($resources, 'uptime'),
            'disk_percent' => is_numeric($usage['disk_percent'] ?? null) ? min(100, Field::number($usage, 'disk_percent')) : null,
            'disk_warning' => Field::text($usage, 'disk_warning'),
            'traffic' => isset($usage['traffic_in_mb'], $usage['traffic_out_mb'])
                ? ['in' => Field::number($usage, 'traffic_in_mb'), 'out' => Field::number($usage, 'traffic_out_mb')] : null,
            'safe_mode' => ($site['safe_mode'] ?? null) === true,
            'enabled' => ($site['proxy_enabled'] ?? null) === true,
            'stale' => ($site['stale'] ?? null) === true,
        ];
    }

    /**
     * @param  string  $verb  start, stop or restart
     * @return array<string, mixed>|null
     */
    public function power(string $verb): ?array
    {
        if (! in_array($verb, ['start', 'stop', 'restart'], true)) {
            throw new InvalidArgumentException('A site can be started, stopped and restarted.');
        }

        return $this->act($verb);
    }

    /**
     * Back to the first day.
     *
     * @param  bool  $discardBackups  also where that deletes backups
     * @return array<string, mixed>|null
     */
    public function reset(bool $discardBackups = false): ?array
    {
        return $this->act('reset', $discardBackups ? ['discard_backups' => true] : []);
    }

    /**
     * Traffic on or off. The wish is always named: without it the backend would flip what a stale page did
     * not know.
     *
     * @return array<string, mixed>|null
     */
    public function toggle(bool $enabled): ?array
    {
        return $this->act('toggle', ['enabled' => $enabled]);
    }

    /**
     * A link into wp-admin that works once, for five minutes. It is made at once or not at all, so this one
     * waits.
     */
    public function logInUrl(): string
    {
        $url = Field::link(Field::text($this->backend->call('login'), 'url'));

        if ($url === '') {
            throw new ApiException('The backend gave no link.', 'bad_answer', path: '/action/login');
        }

        return $url;
    }
}
