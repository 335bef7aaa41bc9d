<?php

namespace Tests\ProxmoxWP;

use App\Models\Service;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\Part;
use Tests\Support\Demo;

/** Components of the client area, called as a browser's requests call them. */
abstract class Parts extends Sites
{
    protected function part(string $class, Service $service): Part
    {
        $part = new $class;
        $part->service = $service;
        $part->mount();

        return $part;
    }

    protected function followed(Part $part): void
    {
        Demo::until(function () use ($part) {
            $part->poll();

            return $part->job === null;
        }, 'job has ended');
    }
}
