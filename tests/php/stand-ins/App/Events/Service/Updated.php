<?php

namespace App\Events\Service;

class Updated
{
    public function __construct(public \App\Models\Service $service) {}
}
