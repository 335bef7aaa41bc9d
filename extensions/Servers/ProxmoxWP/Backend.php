<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Calls;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;

/**
 * The site of one service at NodePoint: everything that this extension asks of it.
 */
final class Backend
{
    private const JOB = ['job.id', 'job.state', 'job.percent', 'job.eta_seconds', 'job.error'];

    /**
     * Paymenter's hooks have 30 s; customers in front of a page should not wait that long for what they only
     * read.
     */
    public const CALLS = [
        'create' => ['POST', '/create-site', 'within' => 25, 'sends' => ['service_id', 'email', 'plan', 'public_ip', 'user_id', 'subdomain'],
            'reads' => ['subdomain', 'url', 'status', ...self::JOB]],
        'delete' => ['POST', '/delete-site', 'within' => 25, 'sends' => ['service_id'],
            'reads' => ['status']],
        'suspend' => ['POST', '/suspend', 'within' => 25, 'sends' => ['service_id'], 'reads' => ['status']],
        'unsuspend' => ['POST', '/unsuspend', 'within' => 25, 'sends' => ['service_id'],
            'reads' => ['status']],
        'upgrade' => ['POST', '/wp/upgrade/', 'within' => 25, 'sends' => ['service_id', 'plan'],
            'reads' => ['plan']],
        'would upgrade' => ['POST', '/wp/upgrade/', 'within' => 6, 'asks' => true, 'sends' => ['service_id', 'plan', 'dry_run'], 'reads' => ['plan']],
        'subdomain' => ['GET', '/subdomain', 'within' => 3, 'sends' => ['name'], 'reads' => ['name', 'free', 'reason']],
        'owner' => ['POST', '/service/owner', 'within' => 25, 'sends' => ['service_id', 'user_id', 'email'], 'reads' => []],
        'status' => ['GET', '/status', 'within' => 8, 'sends' => ['service_id'], 'reads' => [
            'status', 'subdomain', 'url', 'public_ip', 'plan.name', 'plan.memory_mb', 'plan.disk_gb', 'plan.cores',
            'resources.cpu', 'resources.memory', 'resources.disk', 'resources.uptime', 'proxy_enabled', 'stale', 'safe_mode',
            'usage.disk_percent', 'usage.disk_warning', 'usage.traffic_in_mb', 'usage.traffic_out_mb',
            ...self::JOB]],
        'plans' => ['GET', '/plans', 'within' => 3, 'sends' => [], 'reads' => [
            'plans.*.name', 'plans.*.memory_mb', 'plans.*.disk_gb', 'plans.*.cores', 'plans.*.backups',
            'plans.*.domains']],
        'job' => ['GET', '/jobs/{job_id}', 'within' => 8, 'sends' => ['job_id'], 'reads' => self::JOB],
        'start' => ['POST', '/action/start', 'within' => 15, 'sends' => ['service_id'], 'reads' => self::JOB],
        'stop' => ['POST', '/action/stop', 'within' => 15, 'sends' => ['service_id'], 'reads' => self::JOB],
        'restart' => ['POST', '/action/restart', 'within' => 15, 'sends' => ['service_id'],
            'reads' => self::JOB],
        'reset' => ['POST', '/action/reset', 'within' => 15, 'sends' => ['service_id', 'discard_backups'],
            'reads' => self::JOB],
        'toggle' => ['POST', '/action/toggle', 'within' => 15, 'sends' => ['service_id', 'enabled'],
            'reads' => self::JOB],
        'login' => ['POST', '/action/login', 'within' => 22, 'sends' => ['service_id'], 'reads' => ['url'], 'secret' => true],
        'domains' => ['GET', '/action/getdomain', 'within' => 8, 'sends' => ['service_id'], 'reads' => [
            'quota.used', 'quota.allowed', 'quota.remaining',
            'details.*.domain', 'details.*.status', 'details.*.certificate', 'details.*.error',
            'details.*.primary', 'details.*.problem', 'replace.*.from', 'replace.*.to']],
        'names' => ['GET', '/status', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['subdomain', 'primary', 'domains.*']],
        'add domain' => ['POST', '/action/setdomain', 'within' => 22, 'sends' => ['service_id', 'domain', 'verify'],
            'reads' => self::JOB],
        'choose primary' => ['POST', '/action/primary', 'within' => 22, 'sends' => ['service_id', 'domain'],
            'reads' => self::JOB],
        'remove domain' => ['POST', '/action/deldomain', 'within' => 15, 'sends' => ['service_id', 'domain'],
            'reads' => self::JOB],
        'tools' => ['GET', '/status', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['status', 'safe_mode', 'plan.memory_mb', 'plan.disk_gb',
            'options.xmlrpc', 'options.upload_mb', 'options.memory_mb', 'options.cache', ...self::JOB]],
        'set options' => ['POST', '/action/options', 'within' => 15, 'sends' => ['service_id', 'options'], 'reads' => self::JOB],
        'safe mode' => ['POST', '/action/safemode', 'within' => 15, 'sends' => ['service_id', 'enabled'], 'reads' => self::JOB],
        'count addresses' => ['POST', '/action/replace', 'within' => 22, 'sends' => ['service_id', 'from', 'to', 'dry_run'],
            'reads' => ['state', 'tables', 'changes', 'left']],
        'replace addresses' => ['POST', '/action/replace', 'within' => 15, 'sends' => ['service_id', 'from', 'to'], 'reads' => self::JOB],
        'export' => ['GET', '/action/export', 'within' => 15, 'sends' => ['service_id'], 'reads' => ['url', 'size_mb', 'expires_at'],
            'secret' => true],
        'make export' => ['POST', '/action/export', 'within' => 22, 'sends' => ['service_id'], 'reads' => self::JOB, 'secret' => true],
        'archives' => ['GET', '/action/archives', 'within' => 8, 'sends' => ['service_id'], 'reads' => ['archives.*.name', 'archives.*.created_at',
            'archives.*.size_mb', 'archives.*.expires_at', 'archives.*.origin', 'archives.*.status', 'schedule', 'next_at', 'quota']],
        'make archive' => ['POST', '/action/mkarchive', 'within' => 15, 'sends' => ['service_id'], 'reads' => self::JOB],
        'delete archive' => ['POST', '/action/delarchive', 'within' => 15, 'sends' => ['service_id', 'archive'], 'reads' => self::JOB],
        'backups' => ['GET', '/action/getbak', 'within' => 8, 'sends' => ['service_id'], 'reads' => [
            'backups.*.name', 'backups.*.created_at', 'backups.*.status', 'backups.*.kind', 'used', 'allowed']],
        'make backup' => ['POST', '/action/mkbak', 'within' => 15, 'sends' => ['service_id'],
            'reads' => self::JOB],
        'delete backup' => ['POST', '/action/delbak', 'within' => 15, 'sends' => ['service_id', 'bak'],
            'reads' => self::JOB],
        'roll back' => ['POST', '/action/rollback', 'within' => 15, 'sends' => ['service_id', 'bak', 'discard_backups'],
            'reads' => self::JOB],
    ];

    private Calls $calls;

    public function __construct(Client $client, public readonly string $serviceId)
    {
        $this->calls = new Calls($client, self::CALLS);
    }

    /**
     * A call about this service's site.
     *
     * @param  string  $name  a call's name in the table
     * @param  array<string, scalar>  $fields
     * @param  array<string, string>  $headers
     * @return array<string, mixed> what the table reads of the answer
     *
     * @throws ApiException
     */
    public function call(string $name, array $fields = [], array $headers = []): array
    {
        return $this->calls->make($name, ['service_id' => $this->serviceId] + $fields, $headers);
    }

    /**
     * A hook's call, made again while the backend is away.
     *
     * @param  array<string, scalar>  $fields
     * @param  array<string, string>  $headers
     * @param  float  $seconds  for everything together
     *
     * @throws ApiException
     */
    public function insist(string $name, array $fields = [], array $headers = [], float $seconds = 27): array
    {
        return $this->calls->insist($name, ['service_id' => $this->serviceId] + $fields, $headers, $seconds);
    }

    /** How a job goes. */
    public function job(string $id): array
    {
        return $this->calls->make('job', ['job_id' => $id]);
    }
}
