<?php

namespace App\Events\ServiceUpgrade;

use App\Models\ServiceUpgrade;

class Created
{
    public function __construct(public ServiceUpgrade $serviceUpgrade) {}
}
