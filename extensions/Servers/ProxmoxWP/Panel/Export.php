<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;

/**
 * The whole site as one archive that its customer can take along.
 */
final class Export extends Panel
{
    /**
     * @return array{busy: bool, there: bool, url: string, size: int, until: int} `there`: whether the backend knows such a thing;
     *     `size` in MB; `until` in seconds since 1970, 0 if unknown; an empty `url`: nothing is offered
     */
    public function read(): array
    {
        try {
            $offer = $this->backend->call('export');
        } catch (ApiException $e) {
            if ($e->is('not_found', 'method_not_allowed')) { // an older backend, or no site, which the page's other part tells
                return ['busy' => false, 'there' => false, 'url' => '', 'size' => 0, 'until' => 0];
            }
            throw $e;
        }

        return ['busy' => false, 'there' => true, 'url' => Field::link(Field::text($offer, 'url')), 'size' => Field::number($offer, 'size_mb'),
            'until' => Field::moment(Field::text($offer, 'expires_at'))];
    }

    /** @return array<string, mixed>|null */
    public function make(): ?array
    {
        return $this->act('make export');
    }
}
