<?php

namespace App\Events\User;

class Updated
{
    public function __construct(public object $user) {}
}
