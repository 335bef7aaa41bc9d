<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use Paymenter\Extensions\Servers\ProxmoxWP\Backend;

/**
 * A part of the client area: what it reads and what its buttons do, without anything of Livewire.
 *
 * All methods throw ApiException. Acts return the job that was started, or null where all is done already.
 */
abstract class Panel
{
    public function __construct(protected Backend $backend) {}

    /**
     * What the part shows; `busy` says whether something is going on that is worth another look.
     *
     * @return array{busy: bool, ...}
     */
    abstract public function read(): array;

    /**
     * How a job goes that an act has started.
     *
     * @return array<string, mixed>|null as Job::of()
     */
    public function job(string $id): ?array
    {
        return Job::of($this->backend->job($id));
    }

    /**
     * A customer's act: begun in the background, so that the page can show how it goes.
     *
     * @return array<string, mixed>|null the job that goes on
     */
    protected function act(string $call, array $fields = []): ?array
    {
        $job = Job::of($this->backend->call($call, $fields, ['Prefer' => 'respond-async']));

        return $job !== null && $job['running'] ? $job : null;
    }
}
