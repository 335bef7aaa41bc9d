<?php

namespace Paymenter\Extensions\Others\DNS;

use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Api\Calls;
use Paymenter\Extensions\Others\DNS\Api\Client;

/**
 * One customer's zones and records at the backend. Every call names the customer, and the backend sees to it that none of them
 * reaches what is another's.
 *
 * What changes something returns the id of its job while the work still goes on, else null.
 */
final class Zones
{
    public const CALLS = [
        'zones' => ['POST', '/customdomain/getdata', 'within' => 9, 'asks' => true, 'sends' => ['user_id'], 'reads' => [
            'zones.*.zone.id', 'zones.*.zone.name', 'zones.*.zone.status', 'zones.*.zone.nameservers',
            'zones.*.zone.records.*.id', 'zones.*.zone.records.*.type', 'zones.*.zone.records.*.name', 'zones.*.zone.records.*.data',
            'zones.*.zone.records.*.ttl', 'zones.*.zone.records.*.priority', 'zones.*.zone.records.*.active',
            'zones.*.zone.published', 'zones.*.zone.problem',
        ]],
        'add zone' => ['POST', '/customdomain/add/zone', 'within' => 18,
            'sends' => ['user_id', 'domain', 'email'], 'reads' => ['state', 'job.id']],
        'delete zone' => ['POST', '/customdomain/delete/zone', 'within' => 18,
            'sends' => ['user_id', 'domain'], 'reads' => ['state', 'job.id']],
        'add record' => ['POST', '/customdomain/add/record', 'within' => 18,
            'sends' => ['user_id', 'zone_id', 'type', 'name', 'ttl', 'content', 'priority'], 'reads' => ['state', 'job.id']],
        'update record' => ['POST', '/customdomain/update/record', 'within' => 18,
            'sends' => ['user_id', 'zone_id', 'rc_id', 'type', 'name', 'ttl', 'content', 'priority'], 'reads' => ['state', 'job.id']],
        'delete record' => ['POST', '/customdomain/delete/record', 'within' => 18,
            'sends' => ['user_id', 'zone_id', 'rc_id'], 'reads' => ['state', 'job.id']],
        'export' => ['POST', '/customdomain/export', 'within' => 9, 'asks' => true, 'sends' => ['user_id', 'zone_id'], 'reads' => ['zonefile']],
        'import' => ['POST', '/customdomain/import', 'within' => 18, 'sends' => ['user_id', 'zone_id', 'zonefile', 'mode', 'dry_run', 'skip_refused'],
            'reads' => ['changes.*.act', 'changes.*.reason', 'changes.*.line', 'changes.*.text', 'changes.*.record.name', 'changes.*.record.type',
                'changes.*.record.data', 'changes.*.record.ttl', 'changes.*.record.priority', 'state', 'job.id']],
        'history' => ['POST', '/customdomain/history', 'within' => 9, 'asks' => true, 'sends' => ['user_id', 'zone_id', 'limit'],
            'reads' => ['changes.*.id', 'changes.*.at', 'changes.*.act', 'changes.*.by',
                'changes.*.before.name', 'changes.*.before.type', 'changes.*.before.data', 'changes.*.before.ttl', 'changes.*.before.priority',
                'changes.*.after.name', 'changes.*.after.type', 'changes.*.after.data', 'changes.*.after.ttl', 'changes.*.after.priority']],
        'undo' => ['POST', '/customdomain/undo', 'within' => 18, 'sends' => ['user_id', 'zone_id', 'change_id', 'scope'], 'reads' => ['state', 'job.id']],
        'job' => ['GET', '/jobs/{job_id}', 'within' => 5,
            'sends' => ['job_id'], 'reads' => ['job.state', 'job.error']],
    ];

    /** Customers see how long work goes on, instead of a page that waits for it. */
    private const WAIT = ['Prefer' => 'wait=4'];

    private Calls $calls;

    /** @var list<Zone>|null read once for each request, unless something was changed */
    private ?array $all = null;

    /** @param  string  $userId  Paymenter's id of the customer who is logged in, never one that came from a form */
    public function __construct(Client $client, private string $userId)
    {
        $this->calls = new Calls($client, self::CALLS);
    }

    /**
     * @return list<Zone>
     *
     * @throws ApiException
     */
    public function all(): array
    {
        return $this->all ??= $this->read();
    }

    /**
     * One of this customer's zones.
     *
     * @throws ApiException `not_found`: there is none, or it is another's
     */
    public function find(string $id): Zone
    {
        foreach ($this->all() as $zone) {
            if ($zone->id === $id) {
                return $zone;
            }
        }

        throw new ApiException('There is no such zone.', 'not_found', 404);
    }

    /**
     * @param  string  $email  for staff to read at ISPConfig; one that the backend does not take must not stop the customer
     *
     * @throws ApiException
     */
    public function add(string $domain, string $email): ?string
    {
        $zone = ['domain' => trim($domain)];
        try {
            return $this->change('add zone', $zone + ['email' => $email]);
        } catch (ApiException $e) {
            if (array_keys($e->fields) !== ['email']) {
                throw $e;
            }
        }

        return $this->change('add zone', $zone);
    }

    /**
     * With all its records. The name is taken from the customer's own list.
     *
     * @throws ApiException
     */
    public function delete(string $id): ?string
    {
        return $this->change('delete zone', ['domain' => $this->find($id)->name]);
    }

    /**
     * @param  array{type: string, name: string, ttl: string, content: string, priority: string}  $form
     *
     * @throws ApiException
     */
    public function addRecord(string $zoneId, array $form): ?string
    {
        return $this->change('add record', ['zone_id' => $zoneId] + self::record($form));
    }

    /**
     * @param  array{type: string, name: string, ttl: string, content: string, priority: string}  $form
     *
     * @throws ApiException
     */
    public function updateRecord(string $zoneId, string $recordId, array $form): ?string
    {
        return $this->change('update record', ['zone_id' => $zoneId, 'rc_id' => $recordId] + self::record($form));
    }

    /** @throws ApiException */
    public function deleteRecord(string $zoneId, string $recordId): ?string
    {
        return $this->change('delete record', ['zone_id' => $zoneId, 'rc_id' => $recordId]);
    }

    /** The zone as a zone file. */
    public function export(string $zoneId): string
    {
        $text = $this->calls->make('export', ['user_id' => $this->userId, 'zone_id' => $zoneId])['zonefile'] ?? null;

        return is_string($text) ? $text : throw new ApiException('The backend gave an answer that could not be understood.', 'bad_answer');
    }

    /**
     * What would become of each record of a zone file; nothing is changed.
     *
     * @param  string  $mode  `add` or `replace`
     * @return list<Line>
     *
     * @throws ApiException
     */
    public function tryImport(string $zoneId, string $file, string $mode): array
    {
        $fields = ['user_id' => $this->userId, 'zone_id' => $zoneId, 'zonefile' => $file, 'mode' => $mode, 'dry_run' => true];
        try {
            return Line::all($this->calls->make('import', $fields));
        } catch (ApiException $e) {
            $lines = Line::all($e->body); // one line is refused, and so all of them, with the reasons
            if ($lines === []) {
                throw $e;
            }

            return $lines;
        }
    }

    /**
     * @param  bool  $skipRefused  whether the rest is taken where some records cannot be
     *
     * @throws ApiException
     */
    public function import(string $zoneId, string $file, string $mode, bool $skipRefused): ?string
    {
        return $this->change('import', ['zone_id' => $zoneId, 'zonefile' => $file, 'mode' => $mode] + ($skipRefused ? ['skip_refused' => true] : []));
    }

    /**
     * The last hundred changes, the newest first.
     *
     * @return list<Past>
     *
     * @throws ApiException
     */
    public function history(string $zoneId): array
    {
        return Past::all($this->calls->make('history', ['user_id' => $this->userId, 'zone_id' => $zoneId, 'limit' => 100]));
    }

    /**
     * @param  bool  $andLater  also all that came after it, so that the zone is as it was before
     *
     * @throws ApiException
     */
    public function undo(string $zoneId, string $changeId, bool $andLater): ?string
    {
        return $this->change('undo', ['zone_id' => $zoneId, 'change_id' => $changeId, 'scope' => $andLater ? 'since' : 'one']);
    }

    /**
     * How work that went on has ended.
     *
     * @return bool true when it is done, false while it goes on
     *
     * @throws ApiException `failed`: it ended without success
     */
    public function isDone(string $job): bool
    {
        $found = $this->calls->make('job', ['job_id' => $job])['job'] ?? [];
        $state = $found['state'] ?? null;
        if (in_array($state, ['failed', 'rolled_back', 'cancelled'], true)) {
            $error = $found['error'] ?? null;
            throw new ApiException(is_string($error) && $error !== '' ? $error : 'The change could not be made.', 'failed');
        }

        return $state === 'succeeded';
    }

    private function change(string $call, array $fields): ?string
    {
        $this->all = null;
        $answer = $this->calls->make($call, ['user_id' => $this->userId] + $fields, self::WAIT);
        $job = $answer['job']['id'] ?? null;

        return ($answer['state'] ?? null) === 'running' && is_string($job) ? $job : null;
    }

    private function read(): array
    {
        $items = $this->calls->make('zones', ['user_id' => $this->userId])['zones'] ?? null;
        if (! is_array($items)) {
            throw new ApiException('The backend gave an answer that could not be understood.', 'bad_answer');
        }

        return array_map(Zone::from(...), array_values(array_filter(array_column($items, 'zone'), 'is_array')));
    }

    /** What is sent of a form. `content` does for any type; MX and SRV have a priority beside it. */
    private static function record(array $form): array
    {
        $fields = ['type' => strtolower($form['type']), 'name' => trim($form['name']), 'ttl' => trim($form['ttl']),
            'content' => trim($form['content'])];

        return in_array($form['type'], Record::PRIORITISED, true) ? $fields + ['priority' => trim($form['priority'])] : $fields;
    }
}
