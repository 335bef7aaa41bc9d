<?php

namespace App\Models;

class ServiceUpgrade
{
    public function __construct(public ?Service $service, public ?object $product) {}
}
